#include "base/crypto/crypto.h"
#include "base/json/json_writer.h"
#include "base/memory/arena.h"
#include "base/system/clock.h"
#include "base/text/ascii.h"
#include "visitors/tracking/tracking.h"

enum { GOOGLE_NAME_MAX = 40 };

bool facebook_can_match(const struct conversion_facts *facts)
{
    return facts->email.len > 0 || facts->phone.len > 0 || facts->fbclid.len > 0;
}

static void put_hashed(struct json_writer *w, struct arena *arena, const char *key, Str value)
{
    if (value.len == 0)
        return;
    Sha256 hash = sha256(value);
    json_key(w, str_from_z(key));
    json_array_begin(w);
    json_put_str(w, hex_text(arena, hash.bytes, sizeof hash.bytes));
    json_array_end(w);
}

static Str digits_of(struct arena *arena, Str phone)
{
    char *digits = arena_alloc_raw(arena, phone.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < phone.len; i++)
        if (ascii_is_digit(phone.data[i]))
            digits[len++] = phone.data[i];
    return str_of(digits, len);
}

static void put_value(struct json_writer *w, const struct conversion_facts *facts)
{
    double value;
    if (str_to_double(facts->value, &value)) {
        json_key(w, STR("value"));
        json_put_real(w, value);
    }
    json_field_str(w, "currency", facts->currency.len > 0 ? facts->currency : STR("USD"));
}

static void put_user(struct json_writer *w, struct arena *arena,
                     const struct conversion_facts *facts)
{
    json_object_begin(w);
    put_hashed(w, arena, "em", str_lower(arena, str_trim(facts->email)));
    put_hashed(w, arena, "ph", digits_of(arena, facts->phone));
    json_field_str_unless_empty(w, "client_ip_address", facts->ip);
    json_field_str_unless_empty(w, "client_user_agent", facts->user_agent);
    if (facts->fbclid.len > 0)
        json_field_str(w, "fbc",
                       str_printf(arena, "fb.1.%jd.%.*s", (intmax_t)(facts->wall_us / 1000),
                                  STR_FMT(facts->fbclid)));
    json_object_end(w);
}

/* Facebook's name for a form, a call or a lead; other types keep their name. */
static Str facebook_name(Str type)
{
    if (str_eq(type, STR("form")) || str_eq(type, STR("lead")) || str_eq(type, STR("call")))
        return STR("Lead");
    return str_eq(type, STR("sale")) || str_eq(type, STR("purchase")) ? STR("Purchase") : type;
}

void facebook_event_write(struct buf *out, struct arena *arena,
                          const struct conversion_facts *facts)
{
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_key(&w, STR("data"));
    json_array_begin(&w);
    json_object_begin(&w);
    json_field_str(&w, "event_name", facebook_name(facts->type));
    json_field_int(&w, "event_time", facts->wall_us / SECOND_US);
    json_field_uuid(&w, "event_id", facts->id);
    json_field_str(&w, "action_source", STR("website"));
    json_field_str_unless_empty(&w, "event_source_url", facts->page_url);
    json_key(&w, STR("user_data"));
    put_user(&w, arena, facts);
    json_key(&w, STR("custom_data"));
    json_object_begin(&w);
    put_value(&w, facts);
    json_object_end(&w);
    json_object_end(&w);
    json_array_end(&w);
    json_field_str_unless_empty(&w, "test_event_code", facts->test_code);
    json_object_end(&w);
}

/* Google drops events whose name does not start with a letter, has other characters than letters,
 * digits and underscores, or is longer than 40. */
static Str google_name(struct arena *arena, Str type)
{
    if (str_eq(type, STR("form")) || str_eq(type, STR("lead")) || str_eq(type, STR("call")))
        return STR("generate_lead");
    if (str_eq(type, STR("sale")) || str_eq(type, STR("purchase")))
        return STR("purchase");
    char *name = arena_alloc_raw(arena, GOOGLE_NAME_MAX);
    size_t len = 0;
    for (size_t i = 0; i < type.len && len < GOOGLE_NAME_MAX; i++) {
        char c = type.data[i];
        bool is_letter = ascii_is_letter(c);
        bool is_inner = ascii_is_digit(c) || c == '_';
        if (len > 0 || is_letter)
            name[len++] = is_letter || is_inner ? c : '_';
    }
    return len > 0 ? str_of(name, len) : STR("conversion");
}

void google_event_write(struct buf *out, struct arena *arena, const struct conversion_facts *facts)
{
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_uuid(&w, "client_id", facts->id);
    json_field_int(&w, "timestamp_micros", facts->wall_us);
    json_key(&w, STR("events"));
    json_array_begin(&w);
    json_object_begin(&w);
    json_field_str(&w, "name", google_name(arena, facts->type));
    json_key(&w, STR("params"));
    json_object_begin(&w);
    put_value(&w, facts);
    json_field_uuid(&w, "transaction_id", facts->id);
    json_field_str_unless_empty(&w, "source", facts->source);
    json_field_str_unless_empty(&w, "campaign", facts->campaign);
    json_object_end(&w);
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
}
