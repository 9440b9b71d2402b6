#include "base/text/multipart.h"
#include "support/fixture.h"

static void parts_come_in_order(void **state)
{
    (void)state;
    static const char BODY[] =
        "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
        "one --b two\r\n--b\r\ncontent-disposition: form-data; name=f; "
        "filename=\"x.yaml\"\r\nContent-Type: text/yaml\r\n\r\nk: 1\n\r\n--b--\r\n";
    struct multipart m;
    struct multipart_part part;
    assert_true(multipart_begin(STR("Multipart/Form-Data; charset=x; boundary=\"b\""),
                                str_from_z(BODY), &m));
    assert_true(multipart_next(&m, &part));
    assert_true(str_eq(part.name, STR("a")) && part.file_name.data == NULL);
    assert_true(str_eq(part.body, STR("one --b two")));
    assert_true(multipart_next(&m, &part));
    assert_true(str_eq(part.name, STR("f")) && str_eq(part.file_name, STR("x.yaml")));
    assert_true(str_eq(part.content_type, STR("text/yaml")) && str_eq(part.body, STR("k: 1\n")));
    assert_false(multipart_next(&m, &part));
}

static void what_is_no_form_has_no_parts(void **state)
{
    (void)state;
    struct multipart m;
    struct multipart_part part;
    assert_false(multipart_begin(STR("application/json"), STR("--b"), &m));
    assert_false(multipart_begin(STR("multipart/form-data"), STR("--b"), &m));
    assert_false(multipart_begin(STR("multipart/form-data; boundary="), STR("--b"), &m));
    static const char *const BODIES[] = {"",
                                         "--b",
                                         "--b--",
                                         "--b\r\n\r\nno end",
                                         "x--b\r\n\r\n\r\n--b--",
                                         "--bc\r\n\r\nother\r\n--bc--",
                                         NULL};
    for (int i = 0; BODIES[i] != NULL; i++) {
        assert_true(
            multipart_begin(STR("multipart/form-data; boundary=b"), str_from_z(BODIES[i]), &m));
        assert_false(multipart_next(&m, &part));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_come_in_order),
        cmocka_unit_test(what_is_no_form_has_no_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
