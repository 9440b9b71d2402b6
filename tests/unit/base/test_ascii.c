#include "base/text/ascii.h"
#include "base/text/str.h"
#include "support/fixture.h"

static void each_byte_is_what_it_is(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        bool is_in_ascii = byte > 0 && byte < 0x80;
        assert_int_equal(ascii_is_digit(c), is_in_ascii && strchr("0123456789", c) != NULL);
        assert_int_equal(ascii_is_space(c), is_in_ascii && strchr(" \t\n\v\f\r", c) != NULL);
        assert_int_equal(ascii_is_upper(c), byte >= 'A' && byte <= 'Z');
        assert_int_equal(ascii_is_lower(c), byte >= 'a' && byte <= 'z');
        assert_int_equal(ascii_is_letter(c), ascii_is_upper(c) || ascii_is_lower(c));
        assert_int_equal(ascii_is_alnum(c), ascii_is_letter(c) || ascii_is_digit(c));
    }
}

static void only_letters_change_their_case(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        assert_int_equal(ascii_lower(c), ascii_is_upper(c) ? (char)(c + 32) : c);
        assert_int_equal(ascii_upper(c), ascii_is_lower(c) ? (char)(c - 32) : c);
    }
}

static void hex_digits_have_values_in_either_case(void **state)
{
    (void)state;
    static const char LOWER[] = "0123456789abcdef";
    static const char UPPER[] = "0123456789ABCDEF";
    int known = 0;
    for (int i = 0; i < 16; i++) {
        assert_int_equal(ascii_hex_value(LOWER[i]), i);
        assert_int_equal(ascii_hex_value(UPPER[i]), i);
    }
    for (int byte = 0; byte < 256; byte++)
        known += ascii_hex_value((char)byte) >= 0;
    assert_int_equal(known, 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_what_it_is),
        cmocka_unit_test(only_letters_change_their_case),
        cmocka_unit_test(hex_digits_have_values_in_either_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
