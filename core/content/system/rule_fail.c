#include "content/system/system_rules.h"

#include <assert.h>

Err rule_fail_field(struct ctx *ctx, const char *field, const char *type, const char *sentence)
{
    assert(field != NULL && type != NULL);
    Err err =
        fail(ctx, ERR_FAILED_VALIDATION, "Validation failed for field \"%s\". %s", field, sentence);
    fail_note(ctx, "field", str_from_z(field));
    fail_note_json(ctx, "path", STR("[]"));
    fail_note(ctx, "type", str_from_z(type));
    return err;
}

bool rule_is_given(const struct rules_write *write, const char *member)
{
    return write->body != NULL && json_get(write->body, str_from_z(member)) != NULL;
}
