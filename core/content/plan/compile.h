/*
 * From a query to a plan. One compiler per plan; its functions allocate from the plan's arena and
 * report errors in the ctx with Directus' messages.
 */
#pragma once

#include "access/grants/actor.h"
#include "content/plan/tree.h"
#include "content/query/query.h"

struct compiler {
    struct ctx *ctx;
    struct arena *arena; /* the plan's */
    const struct schema *schema;
    const struct actor *actor;
    enum scope_kind scope;
    int64_t limit_default;
    int64_t limit_max;
    struct param *site;
    struct compiled_rule *rules; /* plan_access.c */
    uint32_t source_count;
    uint32_t join_count;
    uint32_t select_count;
    uint32_t branch_count;
    uint32_t node_count;
    struct named *named;     /* plan_named.c */
    struct sharing *sharing; /* NULL: the plan is not shared */
    bool is_sharing;         /* while compiling the query's own filter */
    bool has_no_backlinks;
};

/* The position in the query, for error messages: "Queried in root." or "Queried in \"a.b\".". */
struct place {
    Str path;
    uint32_t depth;
    const struct relation *via; /* which led here; NULL: root, or irrelevant */
};
struct place place_below(struct compiler *c, struct place place, Str name);

/* access: what the actor may do with a collection */
struct access {
    bool is_full;
    bool keeps_accounts; /* a write of directus_users outside of PLATFORM scope: profiles only */
    const struct grant *grant;
};
/* false: the collection is invisible to this actor and scope. */
bool access_find(const struct compiler *c, const struct collection *collection, enum action action,
                 struct access *ret);
bool access_field(const struct access *access, const struct field *field);
/* false: rows are granted, but no field of them: each is reduced to its key. */
bool access_has_fields(const struct access *access);
bool access_keeps(const struct access *access, const struct field *field);
/* The rows that the access grants (NULL: all), and the rows on which it grants the field (NULL: all
 * of those). */
Err access_rows(struct compiler *c, struct source *source, const struct access *access,
                struct pred **ret);
Err access_mask(struct compiler *c, struct source *source, const struct access *access,
                const struct field *field, struct pred **ret);
/* The rules that grant the field (NULL: all rules), as bits: false if there are more rules than
 * bits, or none. */
bool access_rules(const struct access *access, const struct field *field, uint64_t *ret);
/* Rows that one of these rules grants. */
Err access_rows_any(struct compiler *c, struct source *source, const struct access *access,
                    uint64_t rules, struct pred **ret);
/* Every row that remains of the source satisfies the mask of this field: masks of fields that the
 * same rules grant are not needed any more. */
void access_prove(struct source *source, const struct access *access, const struct field *field);
/* The rows on which every named field is granted, for updates; PRED_FALSE if there is none. */
Err access_rows_for(struct compiler *c, struct source *source, const struct access *access,
                    const struct field *const *fields, uint32_t count, struct pred **ret);
/* A row of a to-any relation refers to this collection; NULL for other relations. `many` holds the
 * reference. */
struct pred *same_collection(struct compiler *c, struct source *many, const struct relation *via,
                             const struct collection *one);
/* Rows within the scope; NULL: every row. */
struct pred *scope_rows(struct compiler *c, struct source *source, bool for_write);
/* Restricts a relation to one site if the key does not (else NULL); `one` is the referenced
 * side. */
struct pred *same_site(struct compiler *c, struct source *one, struct source *many);
struct pred *key_of_one_site(struct compiler *c, struct source *source); /* else an error */
bool key_may_repeat(const struct compiler *c, const struct collection *collection);
Err forbid_fields(struct compiler *c, const struct collection *collection, const Str *names,
                  uint32_t count, struct place place);
/* Names that no field has are told alone, as in Directus. */
Err forbid_unknown_first(struct compiler *c, const struct collection *collection, const Str *names,
                         uint32_t count, struct place place);
Err forbid_field(struct compiler *c, const struct collection *collection, Str name,
                 struct place place);

/* sources */
struct source *source_root(struct compiler *c, const struct collection *collection);
/* The SOURCE_FIRST that it is, or to which it is joined; or NULL. */
struct source *source_first(struct source *source);
/* Joins once and shares the join, unless `is_private`. ERR_FORBIDDEN when the target may not be
 * read. */
Err source_join(struct compiler *c, struct source *parent, const struct field *field,
                struct place place, bool is_private, struct source **ret);
Err source_scalar(struct compiler *c, struct source *parent, const struct field *field,
                  enum source_kind kind, struct place place, struct source **ret);

/* plan_named.c: fields that stand for relations which the query names itself. */
bool named_is_scope(Str name, Str *ret_field, Str *ret_collection); /* item:headings */
/* `any`: the to-any field in front of the colon. */
Err named_scope(struct compiler *c, const struct collection *collection, const struct field *any,
                Str name, struct place place, const struct field **ret);
bool named_is_follow(Str name); /* $FOLLOW(collection, field) */
Err named_follow(struct compiler *c, const struct collection *one, Str name, bool is_rule,
                 struct place place, const struct field **ret);

/* conditions; NULL stands for "true" */
struct pred *pred_new(struct compiler *c, enum pred_kind kind);
struct pred *pred_keys(struct compiler *c, struct operand operand); /* one of PARAM_KEYS */
struct pred *pred_key(struct compiler *c, struct operand operand);  /* PARAM_KEY */
struct pred *pred_and(struct compiler *c, struct pred *a, struct pred *b);
struct pred *pred_or(struct compiler *c, struct pred *a, struct pred *b); /* neither may be NULL */
struct operand operand_of(struct source *source, const struct field *field);
struct param *param_new(struct compiler *c, enum param_kind kind);
struct param *param_text(struct compiler *c, Str text);

/* values: plan_value.c */
Err value_parse(struct compiler *c, const struct operand *operand, const char *operation,
                const struct filter_value *given, struct value **ret);
Err value_parse_list(struct compiler *c, const struct operand *operand, const char *operation,
                     const struct filter_value *given, struct value **ret);
struct value *value_of_param(struct compiler *c, struct param *param);
/* Of null where two values are compared: 0 beside a number, else SQL's null. */
struct value *value_of_null(struct compiler *c, const struct operand *operand);
/* plan_find.c. Records that `value`, compared with `operand`, is a literal of the query. */
void value_share(struct compiler *c, const struct operand *operand,
                 const struct filter_value *given, struct value *value);
/* Converts another literal for a shared value: false if it is invalid or needs a different plan. */
bool value_again(struct ctx *ctx, const struct shared_value *shared, Str text, Str *ret);
/* "$NOW(-1 year)", "$CURRENT_USER" …: false for plain text. */
bool value_dynamic(struct compiler *c, Str text, struct value **ret);

/* plan_lane.c. The lane for these rows of `root`; `search`: the part of `where` that comes from a
 * search. */
enum db_lane lane_of_rows(const struct source *root, const struct pred *where,
                          const struct pred *search);

/* filters: plan_filter.c. `is_rule`: the filter of a policy, which is not checked against grants
 * and never joins. */
Err filter_compile(struct compiler *c, struct source *source, const struct filter_value *filter,
                   bool is_rule, struct place place, struct pred **ret);
/* _eq … on one operand: plan_operator.c */
Err operator_compile(struct compiler *c, struct operand operand, Str name,
                     const struct filter_operator *op, const struct filter_value *value,
                     struct pred **ret);

bool function_fits(enum function function, const struct field *field);
Err function_check(struct compiler *c, Str name, enum function function, const struct field *field);
/* Sets operand.counted for a count of a to-many relation. */
Err function_bind(struct compiler *c, struct operand *operand, struct place place);

/* "a.b(c.d).e": the part before the first dot outside parentheses. */
bool path_next(Str *rest, Str *ret_head);
/* A to-any relation without its collection, and the name `below` it. */
Err any_refuse(struct compiler *c, const struct collection *collection, Str below,
               struct place place);
/* Resolves a dotted path to a column or a function of one, adding joins. */
Err path_operand(struct compiler *c, struct source *source, Str path, bool may_be_many,
                 struct place place, struct operand *ret);

/* plan_refusal.c. Of a read that was refused with `err`: says what Directus says. */
Err refusal_tell(struct compiler *c, const struct collection *collection, const struct query *query,
                 Err err);

/* selects */
struct select *select_new(struct compiler *c, struct source *root);
Err select_check_count(struct compiler *c);
uint32_t column_add(struct compiler *c, struct select *select, struct column column);
Err column_add_field(struct compiler *c, struct select *select, const struct access *access,
                     struct operand operand, uint32_t *ret);
Err order_compile(struct compiler *c, struct select *select, const struct access *access,
                  const struct query *query, const struct field *default_sort, struct place place);
Err search_compile(struct compiler *c, struct source *source, const struct access *access, Str text,
                   struct pred **ret);
void limit_compile(const struct compiler *c, const struct query *query, struct select *select);
Err shape_compile(struct compiler *c, struct select *select, struct source *source,
                  const struct access *access, const struct query *query, struct place place,
                  struct shape **ret);
/* Appends a member to `shape`, which must have room for it. */
struct out *shape_add(struct compiler *c, struct shape *shape, Str name, enum out_kind kind);
/* Whether the fields that are grouped by and aggregated may be read; all that may not are told. */
Err aggregate_check(struct compiler *c, const struct collection *collection,
                    const struct access *access, const struct query *query);
/* `is_below`: groups of the rows of a relation, whose first columns are grouped by already. */
Err aggregate_compile(struct compiler *c, struct select *select, const struct access *access,
                      const struct query *query, bool is_below, struct place place);
/* The reader and the SQL form for a column's type. */
RowReader *reader_of(const struct operand *operand, bool *ret_as_text);
RowReader *reader_of_aggregate(const struct column *column, bool *ret_as_text);

/* Prints select->statement.sql and numbers its parameters, those of `prefix` first. */
Err select_print(struct compiler *c, struct select *select);
