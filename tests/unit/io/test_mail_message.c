#include "io/net/mail_message.h"
#include "support/fixture.h"

static Str write_mail(struct ctx *ctx, const struct mail *mail)
{
    struct buf *out = buf_in_arena(ctx->arena, MAIL_BYTES_MAX);
    mail_write(out, mail);
    assert_int_equal(buf_check(ctx, out, "mail"), OK);
    return buf_str(out);
}

static void addresses_with_anything_but_an_address_are_none(void **state)
{
    (void)state;
    static const char *const FINE[] = {"a@b.example", "a.b+c@x-y.example", "o'neil@x", "1@2.3"};
    static const char *const BAD[] = {"",
                                      "a",
                                      "@b",
                                      "a@",
                                      "a@b@c",
                                      "a b@c",
                                      "a@b c",
                                      "a@b\r\nX:y",
                                      "<a@b.example",
                                      "a@b.example>",
                                      "a,b@c",
                                      "\"a\"@b",
                                      "a@[1.2.3.4]",
                                      "a@.b",
                                      "a@b.",
                                      "-f@b.example",
                                      "a\xc3\xa4@b",
                                      "a@b\xc3\xa4",
                                      "a(c)@b",
                                      "a:b@c",
                                      "a;b@c"};
    for (size_t i = 0; i < sizeof FINE / sizeof FINE[0]; i++)
        assert_true(mail_address_is_plain(str_from_z(FINE[i])));
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(mail_address_is_plain(str_from_z(BAD[i])));
    assert_false(mail_address_is_plain(str_of("a\0@b.example", 12)));
    char text[MAIL_ADDRESS_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text + 1, "@b", 2);
    assert_true(mail_address_is_plain(str_of(text, MAIL_ADDRESS_MAX)));
    assert_false(mail_address_is_plain(str_of(text, MAIL_ADDRESS_MAX + 1)));
}

static void recipients_stand_between_commas_semicolons_and_spaces(void **state)
{
    struct ctx *ctx = *state;
    Str to[MAIL_RECIPIENTS_MAX];
    uint32_t count = 0;
    assert_int_equal(mail_recipients_parse(ctx, STR(" a@b,c@d;;\r\n e@f\t"), to, &count), OK);
    assert_int_equal(count, 3);
    assert_true(str_eq(to[0], STR("a@b")) && str_eq(to[1], STR("c@d")) &&
                str_eq(to[2], STR("e@f")));
}

static void lists_of_none_too_many_or_wrong_recipients_are_refused(void **state)
{
    struct ctx *ctx = *state;
    Str to[MAIL_RECIPIENTS_MAX];
    uint32_t count = 7;
    const Str BAD[] = {STR(""),          STR_NONE,
                       STR(" , "),       STR("a@b, c"),
                       STR("a@b,<c@d>"), STR("a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b")};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(mail_recipients_parse(ctx, BAD[i], to, &count), ERR_INVALID_PAYLOAD);
    assert_int_equal(count, 7);
}

static void no_text_of_a_stranger_makes_a_header(void **state)
{
    struct ctx *ctx = *state;
    Str to[] = {STR("a@b.example"), STR("c@d.example")};
    const struct mail mail = {
        .from = STR("f@g.example"),
        .to = to,
        .to_count = 2,
        .reply_to = STR("x@y\r\nBcc: evil@example.com"),
        .subject = STR("s\r\nBcc: evil@example.com\r\n\r\n\xff"),
        .text = STR("\r\n.\r\nBcc: evil@example.com"),
        .key = STR("mail-1"),
        .wall_us = 1000000000LL * 1000000,
    };
    Str text = write_mail(ctx, &mail);
    assert_true(str_find(text, STR("Bcc")) < 0);
    assert_true(str_find(text, STR("Reply-To")) < 0);
    assert_true(str_find(text, STR("\r\n.\r\n")) < 0);
    assert_true(
        str_starts_with(text, STR("From: f@g.example\r\nTo: a@b.example,\r\n c@d.example\r\n"
                                  "Subject: =?UTF-8?B?")));
    assert_true(str_find(text, STR("Date: Sun, 09 Sep 2001 01:46:40 +0000\r\n"
                                   "Message-ID: <mail-1@g.example>\r\n")) > 0);
}

/* Whoever decodes it would show them, or worse. */
static void a_subject_has_no_control_characters(void **state)
{
    struct ctx *ctx = *state;
    Str to[] = {STR("a@b.example")};
    const struct mail mail = {.from = STR("f@g.example"),
                              .to = to,
                              .to_count = 1,
                              .subject = str_of("a\r\n\0\x7f\x1b\tb", 8),
                              .text = STR("x"),
                              .key = STR("k")};
    assert_true(str_find(write_mail(ctx, &mail), STR("Subject: =?UTF-8?B?YWI=?=\r\n")) > 0);
}

static void long_subject_is_cut_and_folded_between_characters(void **state)
{
    struct ctx *ctx = *state;
    char subject[300];
    for (size_t i = 0; i < sizeof subject; i += 2)
        memcpy(subject + i, "\xc3\xa4", 2);
    Str to[] = {STR("a@b.example")};
    const struct mail mail = {.from = STR("f@g.example"),
                              .to = to,
                              .to_count = 1,
                              .subject = str_of(subject, sizeof subject),
                              .text = STR("x"),
                              .key = STR("k")};
    Str text = write_mail(ctx, &mail);
    size_t words = 0;
    for (Str rest = text; str_find(rest, STR("=?UTF-8?B?w6")) >= 0; words++)
        rest = str_slice(rest, (size_t)str_find(rest, STR("=?UTF-8?B?w6")) + 1, rest.len);
    assert_int_equal(words, 6); /* 200 bytes, 38 a word */
    for (Str rest = text, line; str_next(&rest, '\n', &line);)
        assert_true(line.len <= 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(addresses_with_anything_but_an_address_are_none),
        FIXTURE_TEST(recipients_stand_between_commas_semicolons_and_spaces),
        FIXTURE_TEST(lists_of_none_too_many_or_wrong_recipients_are_refused),
        FIXTURE_TEST(no_text_of_a_stranger_makes_a_header),
        FIXTURE_TEST(a_subject_has_no_control_characters),
        FIXTURE_TEST(long_subject_is_cut_and_folded_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
