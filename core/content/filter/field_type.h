/*
 * The types that a field may have, as Directus names them, and the groups of types that operators
 * support.
 */
#pragma once

enum field_type {
    FIELD_STRING,
    FIELD_TEXT,
    FIELD_BOOLEAN,
    FIELD_INTEGER,
    FIELD_BIG_INTEGER,
    FIELD_FLOAT,
    FIELD_DECIMAL,
    FIELD_DATE,
    FIELD_DATE_TIME,
    FIELD_TIME,
    FIELD_TIMESTAMP,
    FIELD_JSON,
    FIELD_CSV,
    FIELD_UUID,
    FIELD_HASH,
    FIELD_BINARY,
    FIELD_ALIAS,
    FIELD_UNKNOWN,
};

/* The name in error messages: "string", "bigInteger" … */
const char *field_type_name(enum field_type type);

/* A set of these says on which fields an operator works in SQL. */
enum field_group {
    GROUP_STRING = 1,
    GROUP_HASH = 2,
    GROUP_UUID = 4,
    GROUP_JSON = 8,
    GROUP_BOOLEAN = 16,
    GROUP_NUMBER = 32,
    GROUP_MOMENT = 64,
    GROUP_OTHER = 128,
};
enum field_group field_group_of(enum field_type type);
