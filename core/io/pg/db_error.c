/*
 * Maps SQLSTATE to Err, with Directus' messages.
 *
 * On the tenant lane PostgreSQL gives no DETAIL for a violated constraint, because that would leak
 * rows that row-level security hides. The field is then derived from the constraint's name and the
 * value is unknown; a caller with the payload can add it. Notes whose key starts with '_' are for
 * the log only.
 */
#include "io/pg/db_error.h"

#include "base/memory/array.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <string.h>

enum { VALUE_SHOWN_MAX = 200, REGISTERED_MAX = 16, SQLSTATE_LEN = 5 };

static DbErrorReport report_constraint;
static DbErrorReport report_not_null;
static DbErrorReport report_check;
static DbErrorReport report_value;
static DbErrorReport report_payload;
static DbErrorReport report_forbidden;
static DbErrorReport report_conflict;
static DbErrorReport report_unavailable;
static DbErrorReport report_changed;
static DbErrorReport report_pooler;

/* Rules of higher layers; immutable once the threads run. */
static const struct db_error_rule *registered[REGISTERED_MAX];
static uint32_t registered_count;

/* Matched by prefix of the SQLSTATE; the first match wins. */
static const struct db_error_rule RULES[] = {
    {"SPE01", ERR_STALE_EPOCH, db_error_plain},
    {"SPE02", ERR_STALE_EPOCH, db_error_plain}, /* stale stamp of one site */
    {"23505", ERR_NOT_UNIQUE, report_constraint},
    {"23503", ERR_INVALID_FOREIGN_KEY, report_constraint},
    {"23001", ERR_INVALID_FOREIGN_KEY, report_constraint},
    {"23502", ERR_NOT_NULL, report_not_null},
    {"23514", ERR_FAILED_VALIDATION, report_check},
    {"23P01", ERR_NOT_UNIQUE, report_constraint},
    {"22001", ERR_VALUE_TOO_LONG, report_value},
    {"22003", ERR_VALUE_OUT_OF_RANGE, report_value},
    {"22P02", ERR_INVALID_PAYLOAD, report_payload},
    {"22P04", ERR_INVALID_PAYLOAD, report_payload}, /* an invalid COPY line */
    {"22P05", ERR_INVALID_PAYLOAD, report_payload},
    {"22007", ERR_INVALID_PAYLOAD, report_payload},
    {"22008", ERR_INVALID_PAYLOAD, report_payload},
    {"22021", ERR_INVALID_PAYLOAD, report_payload},
    {"22023", ERR_INVALID_PAYLOAD, report_payload},
    {"22030", ERR_INVALID_PAYLOAD, report_payload}, /* duplicate JSON key */
    {"22032", ERR_INVALID_PAYLOAD, report_payload}, /* invalid JSON text */
    {"2201B", ERR_INVALID_PAYLOAD, report_payload}, /* invalid regular expression */
    {"42846", ERR_INVALID_PAYLOAD, report_payload}, /* a column cannot become that type */
    {"54011", ERR_INVALID_PAYLOAD, report_payload}, /* too many columns */
    {"2BP01", ERR_CONFLICT, report_payload},        /* a view depends on what is dropped */
    {"42501", ERR_FORBIDDEN, report_forbidden},
    {"40P01", ERR_DEADLOCK, db_error_plain},
    {"40001", ERR_DEADLOCK, db_error_plain},
    {"40", ERR_UNAVAILABLE, report_conflict},
    {"55P03", ERR_UNAVAILABLE, report_conflict},
    {"57014", ERR_TIMEOUT, db_error_plain},
    {"26000", ERR_UNAVAILABLE, report_changed},
    {"42P05", ERR_DATABASE, report_pooler},
    {"0A000", ERR_UNAVAILABLE, report_changed},
    {"25006", ERR_UNAVAILABLE, report_unavailable}, /* read-only: a failover is in progress */
    {"53", ERR_UNAVAILABLE, report_unavailable},    /* out of disk, memory, connections */
    {"57P", ERR_UNAVAILABLE, report_unavailable},
    {"08", ERR_UNAVAILABLE, report_unavailable},
    {"58", ERR_UNAVAILABLE, report_unavailable}, /* I/O error of the server */
    {"", ERR_DATABASE, db_error_plain},
};

static Err report_lost(struct ctx *ctx, const struct db_request *request);
static struct db_error error_of(const struct db_request *request);
static bool is_unmigrated(const struct db_error *error);
static void note_for_log(struct ctx *ctx, const struct db_error *error);
static void note_unless_empty(struct ctx *ctx, const char *key, Str value);
static bool key_of_detail(Str detail, Str *ret_column, Str *ret_value);
static Str column_name(Str column);
static bool is_site_column(Str column);
static Str field_of_constraint(Str table, Str constraint);
static Str quoted_part(Str message);

static bool is_one_of(const char *sqlstate, const char *const *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(sqlstate, states[i]) == 0)
            return true;
    return false;
}

/* A statement waits for the lock of a schema change behind the comparison of epochs: then what it
 * names is gone, or of another type. Or it was prepared before that change; that is repeated once
 * for the statement alone, or for the request whose transaction it ended. */
static bool is_overtaken(const struct db_request *request)
{
    static const char *const MISSING[] = {"42703", "42P01", "42804", "42883"};
    static const char *const OUTDATED[] = {"0A000", "26000"};
    bool is_of_schema = false;
    for (uint32_t i = 0; i < request->count; i++)
        is_of_schema = is_of_schema || request->commands[i].statement->is_of_schema;
    bool is_outdated = is_one_of(request->sqlstate, OUTDATED, COUNT_OF(OUTDATED));
    return is_of_schema && (is_one_of(request->sqlstate, MISSING, COUNT_OF(MISSING)) ||
                            (is_outdated && request->again == 0));
}

Err db_error_report(struct ctx *ctx, const struct db_request *request)
{
    assert(request->state == REQUEST_DONE);
    if (request->outcome == OUTCOME_LOST)
        return report_lost(ctx, request);
    if (request->outcome == OUTCOME_REFUSED)
        return fail(ctx, ERR_UNAVAILABLE, "PostgreSQL is not reachable");
    assert(request->outcome == OUTCOME_ERROR);
    if (is_overtaken(request))
        return fail_plain(ctx, ERR_STALE_EPOCH);
    struct db_error error = error_of(request);
    return db_error_render(ctx, &error);
}

static Err report_lost(struct ctx *ctx, const struct db_request *request)
{
    assert(request->outcome == OUTCOME_LOST);
    if (request->kind == REQUEST_READ || request->kind == REQUEST_SLOW)
        return fail(ctx, ERR_UNAVAILABLE, "the connection to PostgreSQL was lost");
    return fail_noted(
        ctx, ERR_UNAVAILABLE, "_outcome", STR("unknown"),
        "the connection to PostgreSQL was lost; whether the write happened is unknown");
}

static struct db_error error_of(const struct db_request *request)
{
    assert(request->sqlstate[0] != '\0');
    const PGresult *result = request->error;
    if (result == NULL)
        return (struct db_error){.sqlstate = request->sqlstate};
    return (struct db_error){
        .sqlstate = request->sqlstate,
        .message = str_from_z(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)),
        .detail = str_from_z(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)),
        .table = str_from_z(PQresultErrorField(result, PG_DIAG_TABLE_NAME)),
        .column = str_from_z(PQresultErrorField(result, PG_DIAG_COLUMN_NAME)),
        .constraint = str_from_z(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME)),
        .context = str_from_z(PQresultErrorField(result, PG_DIAG_CONTEXT)),
    };
}

void db_error_add(const struct db_error_rule *rule)
{
    assert(strlen(rule->sqlstate) == SQLSTATE_LEN && rule->report != NULL);
    assert(registered_count < REGISTERED_MAX);
    registered[registered_count++] = rule;
}

static const struct db_error_rule *rule_of(Str sqlstate)
{
    for (uint32_t i = 0; i < registered_count; i++)
        if (str_eq(sqlstate, str_from_z(registered[i]->sqlstate)))
            return registered[i];
    const struct db_error_rule *rule = RULES;
    while (!str_starts_with(sqlstate, str_from_z(rule->sqlstate)))
        rule++;
    return rule;
}

Err db_error_render(struct ctx *ctx, const struct db_error *error)
{
    Err err;
    if (is_unmigrated(error)) {
        err = fail(ctx, ERR_CONFIG, "the database is not migrated: run `spark migrate`");
    } else {
        const struct db_error_rule *rule = rule_of(str_from_z(error->sqlstate));
        err = rule->report(ctx, error, rule->err);
    }
    note_for_log(ctx, error);
    return err;
}

static bool is_unmigrated(const struct db_error *error)
{
    bool is_missing = strcmp(error->sqlstate, "42P01") == 0 ||
                      strcmp(error->sqlstate, "3F000") == 0 ||
                      strcmp(error->sqlstate, "42501") == 0;
    return is_missing && (str_find(error->message, STR("\"spark.epoch\"")) >= 0 ||
                          str_find(error->message, STR("schema \"spark\"")) >= 0 ||
                          str_find(error->message, STR("for schema spark")) >= 0);
}

static Err report_constraint(struct ctx *ctx, const struct db_error *error, Err err)
{
    Str field = STR_NONE;
    Str value = STR_NONE;
    if (!key_of_detail(error->detail, &field, &value))
        field = field_of_constraint(error->table, error->constraint);
    value = str_slice(value, 0, VALUE_SHOWN_MAX);
    bool has_value = value.len > 0;
    const char *open = has_value ? "\"" : "";
    const char *close = has_value ? "\" " : "";
    if (err == ERR_NOT_UNIQUE)
        err = fail(ctx, err,
                   "Value %s%.*s%sfor field \"%.*s\" in collection \"%.*s\" has to be unique.",
                   open, STR_FMT(value), close, STR_FMT(field), STR_FMT(error->table));
    else
        err =
            fail(ctx, err, "Invalid foreign key %s%.*s%sfor field \"%.*s\" in collection \"%.*s\".",
                 open, STR_FMT(value), close, STR_FMT(field), STR_FMT(error->table));
    note_unless_empty(ctx, "collection", error->table);
    note_unless_empty(ctx, "field", field);
    note_unless_empty(ctx, "value", value);
    return err;
}

static Err report_not_null(struct ctx *ctx, const struct db_error *error, Err err)
{
    err = fail(ctx, err, "Value for field \"%.*s\" in collection \"%.*s\" can't be null.",
               STR_FMT(error->column), STR_FMT(error->table));
    note_unless_empty(ctx, "collection", error->table);
    note_unless_empty(ctx, "field", error->column);
    return err;
}

static Err report_check(struct ctx *ctx, const struct db_error *error, Err err)
{
    Str field = field_of_constraint(error->table, error->constraint);
    err =
        fail(ctx, err, "Validation failed for field \"%.*s\". The value breaks the rule \"%.*s\".",
             STR_FMT(field), STR_FMT(error->constraint));
    note_unless_empty(ctx, "collection", error->table);
    note_unless_empty(ctx, "field", field);
    return err;
}

/* PostgreSQL does not report the column. */
static Err report_value(struct ctx *ctx, const struct db_error *error, Err err)
{
    if (err == ERR_VALUE_TOO_LONG)
        return fail(ctx, err, "Value is too long.");
    Str value = str_slice(quoted_part(error->message), 0, VALUE_SHOWN_MAX);
    if (value.len == 0)
        return fail(ctx, err, "Numeric value is out of range.");
    return fail_noted(ctx, err, "value", str_dup(ctx->arena, value),
                      "Numeric value \"%.*s\" is out of range.", STR_FMT(value));
}

static Err report_payload(struct ctx *ctx, const struct db_error *error, Err err)
{
    Str message = str_slice(error->message, 0, VALUE_SHOWN_MAX);
    if (message.len == 0)
        return fail(ctx, err, "The database cannot read a value");
    char first = message.data[0];
    if (first >= 'a' && first <= 'z')
        first = (char)(first - 'a' + 'A');
    return fail(ctx, err, "%c%.*s", first, (int)message.len - 1, message.data + 1);
}

Err db_error_plain(struct ctx *ctx, const struct db_error *error, Err err)
{
    (void)error;
    return fail_plain(ctx, err);
}

static Err report_forbidden(struct ctx *ctx, const struct db_error *error, Err err)
{
    (void)error;
    return fail(ctx, err, "You don't have permission to access this.");
}

static Err report_conflict(struct ctx *ctx, const struct db_error *error, Err err)
{
    (void)error;
    return fail(ctx, err, "The write conflicted with another one; try again.");
}

static Err report_unavailable(struct ctx *ctx, const struct db_error *error, Err err)
{
    (void)error;
    return fail(ctx, err, "PostgreSQL is temporarily unavailable; try again.");
}

static Err report_changed(struct ctx *ctx, const struct db_error *error, Err err)
{
    (void)error;
    return fail(ctx, err, "The schema has changed in the meantime; try again.");
}

/* A new session has no prepared statements, so a pooler must have given us another client's
 * session. */
static Err report_pooler(struct ctx *ctx, const struct db_error *error, Err err)
{
    (void)error;
    return fail(ctx, err,
                "a prepared statement already exists: is a pooler in transaction mode between "
                "Spark and PostgreSQL? It must keep prepared statements apart (PgBouncer 1.21 or "
                "newer with max_prepared_statements)");
}

static void note_for_log(struct ctx *ctx, const struct db_error *error)
{
    note_unless_empty(ctx, "_sqlstate", str_from_z(error->sqlstate));
    note_unless_empty(ctx, "_message", error->message);
    note_unless_empty(ctx, "_constraint", error->constraint);
    note_unless_empty(ctx, "_context", error->context);
}

static void note_unless_empty(struct ctx *ctx, const char *key, Str value)
{
    if (value.len > 0)
        fail_note(ctx, key, str_dup(ctx->arena, value));
}

/* 'Key (site_id, slug)=(…, hello) already exists.': the last column that is not the site. */
static bool key_of_detail(Str detail, Str *ret_column, Str *ret_value)
{
    ptrdiff_t start = str_find(detail, STR("Key ("));
    ptrdiff_t middle = str_find(detail, STR(")=("));
    ptrdiff_t end = str_find(detail, STR(") already exists"));
    if (end < 0)
        end = str_find(detail, STR(") is not present in"));
    if (end < 0)
        end = str_find(detail, STR(") is still referenced from"));
    if (start < 0 || middle < start || end < middle + 3)
        return false;

    Str columns = str_slice(detail, (size_t)start + 5, (size_t)middle);
    Str values = str_slice(detail, (size_t)middle + 3, (size_t)end);
    bool is_found = false;
    while (columns.len > 0) {
        ptrdiff_t comma = str_find(columns, STR(", "));
        Str column = str_slice(columns, 0, comma >= 0 ? (size_t)comma : columns.len);
        columns = str_slice(columns, comma >= 0 ? (size_t)comma + 2 : columns.len, columns.len);
        /* The value of the last column may contain commas; the values before it are ids. */
        comma = columns.len > 0 ? str_find(values, STR(", ")) : -1;
        Str value = str_slice(values, 0, comma >= 0 ? (size_t)comma : values.len);
        values = str_slice(values, comma >= 0 ? (size_t)comma + 2 : values.len, values.len);
        if (is_found && is_site_column(column))
            continue;
        *ret_column = column_name(column);
        *ret_value = value;
        is_found = true;
    }
    return is_found;
}

/* 'lower((email)::text)' and '"Name"' become email and Name. */
static Str column_name(Str column)
{
    ptrdiff_t open;
    while ((open = str_find_char(column, '(')) >= 0)
        column = str_slice(column, (size_t)open + 1, column.len);
    ptrdiff_t close = str_find_char(column, ')');
    if (close >= 0)
        column = str_slice(column, 0, (size_t)close);
    ptrdiff_t cast = str_find(column, STR("::"));
    if (cast >= 0)
        column = str_slice(column, 0, (size_t)cast);
    if (column.len >= 2 && column.data[0] == '"')
        column = str_slice(column, 1, column.len - 1);
    return column;
}

static bool is_site_column(Str column)
{
    return str_eq(column, STR("site_id")) || str_ends_with(column, STR("_site_id"));
}

/* For table posts: 'posts_site_id_slug_key' becomes slug, 'posts_pkey' becomes id. */
static Str field_of_constraint(Str table, Str constraint)
{
    static const Str SUFFIXES[] = {
        STR_INIT("_key"), STR_INIT("_unique"), STR_INIT("_fkey"),  STR_INIT("_foreign"),
        STR_INIT("_idx"), STR_INIT("_index"),  STR_INIT("_check"),
    };
    Str field = constraint;
    if (str_starts_with(field, table) && field.len > table.len && field.data[table.len] == '_')
        field = str_slice(field, table.len + 1, field.len);
    if (str_eq(field, STR("pkey")))
        return STR("id");
    for (size_t i = 0; i < COUNT_OF(SUFFIXES); i++) {
        if (field.len > SUFFIXES[i].len && str_ends_with(field, SUFFIXES[i])) {
            field = str_slice(field, 0, field.len - SUFFIXES[i].len);
            break;
        }
    }
    if (field.len > 8 && str_starts_with(field, STR("site_id_")))
        field = str_slice(field, 8, field.len);
    return field;
}

static Str quoted_part(Str message)
{
    ptrdiff_t open = str_find_char(message, '"');
    if (open < 0)
        return STR_NONE;
    Str rest = str_slice(message, (size_t)open + 1, message.len);
    ptrdiff_t close = str_find_char(rest, '"');
    return close < 0 ? STR_NONE : str_slice(rest, 0, (size_t)close);
}
