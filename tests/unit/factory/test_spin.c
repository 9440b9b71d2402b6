#include "factory/spin/spin.h"
#include "support/fixture.h"

static const struct spin *parse(struct ctx *ctx, const char *text)
{
    const struct spin *spin = NULL;
    if (spin_parse(ctx, str_from_z(text), &spin) != OK)
        fail_msg("\"%s\" was refused", text);
    return spin;
}

static uint64_t count_of(struct ctx *ctx, const char *text, const struct spin_vars *vars)
{
    return spin_count(parse(ctx, text), vars, ctx->arena);
}

/* All texts of a template, separated by '/'. */
static Str enumerate(struct ctx *ctx, const char *text, const struct spin_env *env)
{
    struct spin_plan *plan = spin_plan_make(ctx->arena, parse(ctx, text), env);
    struct buf *out = buf_in_arena(ctx->arena, SPIN_OUTPUT_MAX);
    for (uint64_t i = 0; i < spin_plan_count(plan); i++) {
        if (i > 0)
            buf_put_char(out, '/');
        spin_unrank(plan, i, out, NULL);
    }
    return buf_str(out);
}

/* The only text of a template, or the first. */
static Str first(struct ctx *ctx, const char *text, const struct spin_env *env)
{
    struct buf *out = buf_in_arena(ctx->arena, SPIN_OUTPUT_MAX);
    spin_unrank(spin_plan_make(ctx->arena, parse(ctx, text), env), 0, out, NULL);
    return buf_str(out);
}

static struct spin_vars *vars_with(struct ctx *ctx, const char *name, const char *value)
{
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    spin_vars_set(vars, str_from_z(name), str_from_z(value));
    return vars;
}

static const struct spin_env NO_VARS = {0};

static void counts_are_products_of_sums(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(count_of(ctx, "", NULL), 1);
    assert_int_equal(count_of(ctx, "plain", NULL), 1);
    assert_int_equal(count_of(ctx, "{Best|Top} {Dentist|Clinic} in {city}", NULL), 4);
    assert_int_equal(count_of(ctx, "{Get {Started|Going}|Start Your Journey} today", NULL), 3);
    assert_int_equal(count_of(ctx, "{Hello|Hi} {World|Friend|{Universe|Cosmos}}", NULL), 8);
    assert_int_equal(count_of(ctx, "{a|b|[[A_AN:{c|d}]]}", NULL), 4);
}

static void texts_come_with_the_last_choice_fastest(void **state)
{
    struct ctx *ctx = *state;
    expect_str(enumerate(ctx, "{Get {Started|Going}|Start Your Journey} today", &NO_VARS),
               "Get Started today/Get Going today/Start Your Journey today");
    expect_str(enumerate(ctx, "{a|b}{1|2|3}", &NO_VARS), "a1/a2/a3/b1/b2/b3");
    expect_str(enumerate(ctx, "{{a|b}{1|2}|c}!", &NO_VARS), "a1!/a2!/b1!/b2!/c!");
}

static void no_text_of_a_nested_template_has_braces(void **state)
{
    struct ctx *ctx = *state;
    Str all = enumerate(ctx, "{Hello|Hi} {World|Friend|{Universe|{Cosmos|All}}}", &NO_VARS);
    expect_lacks(all, "{");
    expect_lacks(all, "}");
    expect_lacks(all, "|");
}

static void counts_stop_at_the_largest_number(void **state)
{
    struct ctx *ctx = *state;
    struct buf *text = buf_in_arena(ctx->arena, SPIN_TEMPLATE_MAX);
    for (int i = 0; i < 80; i++)
        buf_put(text, STR("{a|b}"));
    const struct spin *spin = parse(ctx, str_z(ctx->arena, buf_str(text)));
    struct spin_plan *plan = spin_plan_make(ctx->arena, spin, &NO_VARS);
    assert_true(spin_plan_count(plan) == UINT64_MAX);

    struct buf *out = buf_in_arena(ctx->arena, 256);
    spin_unrank(plan, 5, out, NULL);
    assert_int_equal(out->len, 80);
    assert_true(str_ends_with(buf_str(out), STR("aaaabab")));
}

static void a_dictionary_multiplies_like_a_group(void **state)
{
    struct ctx *ctx = *state;
    static const Str TERMS[] = {STR_INIT("Quick"), STR_INIT("Slow")};
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    spin_vars_set_terms(vars, STR("Speeds"), TERMS, 2);
    assert_int_equal(count_of(ctx, "{speeds} {a|b} {{SPEEDS}}", vars), 8);
    expect_str(enumerate(ctx, "{speeds} {a|b}", &(struct spin_env){.vars = vars}),
               "Quick a/Quick b/Slow a/Slow b");
}

static void upper_layers_hide_lower_ones(void **state)
{
    struct ctx *ctx = *state;
    struct spin_vars *niche = vars_with(ctx, "city", "Nowhere");
    spin_vars_set(niche, STR("Niche"), STR("Bikes"));
    struct spin_vars *place = spin_vars_make(ctx->arena, niche);
    spin_vars_set(place, STR("CITY"), STR("Austin"));
    expect_str(first(ctx, "{Niche} in {City}", &(struct spin_env){.vars = place}),
               "Bikes in Austin");
}

static void names_are_found_in_any_case_and_either_form(void **state)
{
    struct ctx *ctx = *state;
    struct spin_env env = {.vars = vars_with(ctx, "Pain_Point", "flats")};
    expect_str(first(ctx,
                     "{pain_point} {PAIN_POINT} {{Pain_Point}} {{pain_point|x}} [[PAIN_POINT]]",
                     &env),
               "flats flats flats flats flats");
}

static void a_default_serves_an_absent_or_empty_value(void **state)
{
    struct ctx *ctx = *state;
    struct spin_env env = {.vars = vars_with(ctx, "county", "")};
    expect_str(first(ctx, "{{county|your county}}, {{town|your town}}, {{gone|}}.{county}", &env),
               "your county, your town, .");
}

static void unknown_names_stay_and_are_reported_once(void **state)
{
    struct ctx *ctx = *state;
    const struct spin *spin = parse(ctx, "{Nope} {{NOPE}} [[Missing:arg]] {a|{Other}} [[A_AN]]");
    struct buf *out = buf_in_arena(ctx->arena, 256);
    struct spin_unresolved unresolved = {.arena = ctx->arena};
    spin_unrank(spin_plan_make(ctx->arena, spin, &NO_VARS), 1, out, &unresolved);
    expect_str(buf_str(out), "{Nope} {{NOPE}} [[Missing:arg]] {Other} [[A_AN]]");
    assert_int_equal(unresolved.count, 4);
    expect_str(unresolved.names[0], "nope");
    expect_str(unresolved.names[3], "a_an");
}

static void values_are_data_and_not_read_again(void **state)
{
    struct ctx *ctx = *state;
    struct spin_env env = {.vars = vars_with(ctx, "x", "{a|b} {x} $& $$ $1 \\1 [[CAP:y]]")};
    expect_str(first(ctx, "<{x}>", &env), "<{a|b} {x} $& $$ $1 \\1 [[CAP:y]]>");
}

static void dollars_in_options_survive(void **state)
{
    struct ctx *ctx = *state;
    expect_str(enumerate(ctx, "The {$1,000|$&|$$|100%} fix \u2192 A & B", &NO_VARS),
               "The $1,000 fix \u2192 A & B/The $& fix \u2192 A & B/The $$ fix \u2192 A & B/"
               "The 100% fix \u2192 A & B");
}

static void plural_suffixes_stick_to_names(void **state)
{
    struct ctx *ctx = *state;
    struct spin_env env = {.vars = vars_with(ctx, "Avatar", "commuter")};
    expect_str(first(ctx, "{Avatar}s, the {Avatar}'s", &env), "commuters, the commuter's");
}

static void html_values_are_escaped_and_components_are_not(void **state)
{
    struct ctx *ctx = *state;
    struct spin_vars *vars = vars_with(ctx, "niche", "M&A <b>");
    spin_vars_set_html(vars, STR("COMPONENT_FORM"), STR("<form></form>"));
    struct spin_env env = {.vars = vars, .is_html = true};
    expect_str(first(ctx, "<p>{niche} & {{COMPONENT_FORM}}</p>", &env),
               "<p>M&amp;A &lt;b&gt; & <form></form></p>");
}

static void double_braces_are_a_name_only_when_whole(void **state)
{
    struct ctx *ctx = *state;
    struct spin_env env = {.vars = vars_with(ctx, "city", "Austin")};
    expect_str(enumerate(ctx, "{{city}|x}", &env), "Austin/x");
    expect_str(enumerate(ctx, "{x|{city}}", &env), "x/Austin");
    expect_str(enumerate(ctx, "{{a|b}|c}", &env), "a/b/c");
    expect_str(enumerate(ctx, "{{city|default}}", &env), "Austin");
    expect_str(enumerate(ctx, "{{{city}}|y}", &env), "Austin/y");
    expect_str(enumerate(ctx, "{{{city}}|y}{1|2}", &env), "Austin1/Austin2/y1/y2");
}

static void braces_that_are_neither_stay_with_a_note(void **state)
{
    struct ctx *ctx = *state;
    const struct spin *spin = parse(ctx, "a{color: red}b {} { city } [[1, 2]] x]]");
    struct buf *out = buf_in_arena(ctx->arena, 256);
    spin_unrank(spin_plan_make(ctx->arena, spin, &NO_VARS), 0, out, NULL);
    expect_str(buf_str(out), "a{color: red}b {} { city } [[1, 2]] x]]");
    const struct spin_note *notes;
    assert_int_equal(spin_notes(spin, &notes), 3);
    assert_int_equal(notes[0].kind, SPIN_NOTE_PLAIN_BRACES);
    assert_int_equal(notes[0].position, 2);
}

static void empty_options_are_legal_with_a_note(void **state)
{
    struct ctx *ctx = *state;
    const struct spin *spin = parse(ctx, "spending {|huge budgets} on {a||b}");
    const struct spin_note *notes;
    assert_int_equal(spin_count(spin, NULL, ctx->arena), 6);
    assert_int_equal(spin_notes(spin, &notes), 2);
    assert_int_equal(notes[0].kind, SPIN_NOTE_EMPTY_OPTION);
    assert_int_equal(notes[0].position, 11);
    expect_str(enumerate(ctx, "x{|y}", &NO_VARS), "x/xy");
}

static void a_pipe_outside_braces_is_text_with_a_note(void **state)
{
    struct ctx *ctx = *state;
    const struct spin_note *notes;
    assert_int_equal(spin_notes(parse(ctx, "\u00e9 | b"), &notes), 1);
    assert_int_equal(notes[0].kind, SPIN_NOTE_STRAY_PIPE);
    assert_int_equal(notes[0].position, 3);
    expect_str(enumerate(ctx, "a | {b|[[CAP:c|d]]}", &NO_VARS), "a | b/a | C|d");
}

static void expect_refused(struct ctx *ctx, const char *text, const char *sentence,
                           const char *position)
{
    const struct spin *spin = NULL;
    assert_int_equal(spin_parse(ctx, str_from_z(text), &spin), ERR_INVALID_SPINTAX);
    assert_null(spin);
    expect_contains(ctx->diag.first->reason, sentence);
    expect_str(ctx->diag.first->notes->value, position);
    diag_clear(ctx);
}

static void unbalanced_templates_are_refused_with_their_position(void **state)
{
    struct ctx *ctx = *state;
    expect_refused(ctx, "a {b|c", "'{' is never closed", "3");
    expect_refused(ctx, "\u00e9\u00e9}", "'}' closes nothing", "3");
    expect_refused(ctx, "{a|b}}", "'}' closes nothing", "6");
    expect_refused(ctx, "[[CAP:x", "'[[' is never closed", "1");
    expect_refused(ctx, "{a|[[CAP:x}]]", "'[[' is never closed", "4");
    expect_refused(ctx, "[[CAP:{x]]|y}", "'[[' is never closed", "1");
    expect_refused(ctx, "\xff", "UTF-8", "1");
}

static Str repeat(struct ctx *ctx, const char *before, const char *part, const char *after, int n)
{
    struct buf *text = buf_in_arena(ctx->arena, SPIN_OUTPUT_MAX);
    buf_put_z(text, before);
    for (int i = 0; i < n; i++)
        buf_put_z(text, part);
    buf_put_z(text, after);
    return buf_str(text);
}

static Str nested(struct ctx *ctx, int depth)
{
    struct buf *text = buf_in_arena(ctx->arena, SPIN_OUTPUT_MAX);
    buf_put(text, repeat(ctx, "", "{a|", "", depth));
    buf_put(text, repeat(ctx, "", "}", "", depth));
    return buf_str(text);
}

static void limits_are_reached_and_refused_beyond(void **state)
{
    struct ctx *ctx = *state;
    const struct spin *spin;
    assert_int_equal(spin_parse(ctx, nested(ctx, 16), &spin), OK);
    assert_int_equal(spin_parse(ctx, nested(ctx, 17), &spin), ERR_INVALID_SPINTAX);
    assert_int_equal(spin_parse(ctx, repeat(ctx, "{x", "|a", "}", 255), &spin), OK);
    assert_int_equal(spin_count(spin, NULL, ctx->arena), 256);
    assert_int_equal(spin_parse(ctx, repeat(ctx, "{x", "|a", "}", 256), &spin),
                     ERR_INVALID_SPINTAX);
    assert_int_equal(spin_parse(ctx, repeat(ctx, "", "a", "", SPIN_TEMPLATE_MAX), &spin), OK);
    assert_int_equal(spin_parse(ctx, repeat(ctx, "", "a", "", SPIN_TEMPLATE_MAX + 1), &spin),
                     ERR_INVALID_SPINTAX);
}

static Str lenient(struct ctx *ctx, Str text)
{
    struct buf *out = buf_in_arena(ctx->arena, SPIN_OUTPUT_MAX);
    const struct spin *spin = spin_parse_lenient(ctx->arena, text);
    spin_unrank(spin_plan_make(ctx->arena, spin, &NO_VARS), 0, out, NULL);
    return buf_str(out);
}

static void lenient_reading_keeps_what_it_cannot_read(void **state)
{
    struct ctx *ctx = *state;
    expect_str(lenient(ctx, STR("{a|b} costs {50")), "a costs {50");
    expect_str(lenient(ctx, STR("a} {b|c}")), "a} b");
    expect_str(lenient(ctx, STR("{x|{a|b} [[CAP:z")), "{x|a [[CAP:z");
    expect_str(lenient(ctx, STR("{a [[CAP:x|y} z")), "{a [[CAP:x|y} z");
    Str wide = repeat(ctx, "{x", "|a", "}", 300);
    assert_true(str_eq(lenient(ctx, wide), wide));
    Str big = repeat(ctx, "{a|b}", "x", "", SPIN_TEMPLATE_MAX);
    assert_true(str_eq(lenient(ctx, big), big));
    expect_str(lenient(ctx, nested(ctx, 40)), "a");
}

static void output_stops_at_its_limit(void **state)
{
    struct ctx *ctx = *state;
    Str large = repeat(ctx, "", "y", "", 4000);
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    spin_vars_set(vars, STR("x"), large);
    const struct spin *spin = NULL;
    assert_int_equal(spin_parse(ctx, repeat(ctx, "", "[[A_AN:{x}]]", "", 1000), &spin), OK);
    struct buf *out = buf_in_arena(ctx->arena, SPIN_OUTPUT_MAX);
    Random random = random_seeded(1);
    spin_expand(spin, &(struct spin_env){.vars = vars}, &random, out, NULL, NULL);
    assert_true(out->is_full);
    assert_true(out->len <= SPIN_OUTPUT_MAX);
}

static void grammar_agrees_with_the_avatar(void **state)
{
    struct ctx *ctx = *state;
    const char *text = "[[PRONOUN]] [[HAS_HAVE]] [[POSPRONOUN:AVATAR]] bike. [[pronoun]] [[ISARE]] "
                       "happy, and [[PRONOUN]] [[DOES_DO]] ride; ask [[PPRONOUN]].";
    struct spin_env env = {.variant = grammar_variant(GRAMMAR_FEMALE)};
    expect_str(first(ctx, text, &env),
               "She has her bike. She is happy, and she does ride; ask her.");
    expect_str(first(ctx, text, &NO_VARS),
               "They have their bike. They are happy, and they do ride; ask them.");
}

static void articles_and_capitals_read_what_is_inside_first(void **state)
{
    struct ctx *ctx = *state;
    struct spin_env env = {.vars = vars_with(ctx, "niche", "e-bike")};
    expect_str(first(ctx, "Ride [[A_AN:{niche}]]. [[A_AN:{{x|old}} bike]] [[CAP:{{y|too}}]]", &env),
               "Ride an e-bike. An old bike Too");
    expect_str(enumerate(ctx, "it is [[A_AN:{apple|pear|hour}]]", &NO_VARS),
               "it is an apple/it is a pear/it is an hour");
    expect_str(first(ctx, "<p>[[A_AN:<b>hour</b>]]", &NO_VARS), "<p>An <b>hour</b>");
    expect_str(first(ctx, "x [[A_AN:]]y", &NO_VARS), "x y");
}

static void a_seed_gives_one_text_for_ever(void **state)
{
    struct ctx *ctx = *state;
    const struct spin *spin = parse(ctx, "{a|b|c|d} {e|f|g} {{h|i}|j}");
    Str texts[2];
    Str choices[2];
    for (int i = 0; i < 2; i++) {
        Random random = random_seeded(42);
        struct buf *out = buf_in_arena(ctx->arena, 256);
        struct buf *chosen = buf_in_arena(ctx->arena, 256);
        spin_expand(spin, &NO_VARS, &random, out, chosen, NULL);
        texts[i] = buf_str(out);
        choices[i] = buf_str(chosen);
    }
    assert_true(str_eq(texts[0], texts[1]));
    assert_true(str_eq(choices[0], choices[1]));
    assert_int_equal(choices[0].len % 4, 0);
    assert_true(choices[0].len >= 12);
}

static void every_choice_is_uniform_within_its_group(void **state)
{
    struct ctx *ctx = *state;
    const struct spin *spin = parse(ctx, "{{1|2}|3}");
    uint32_t counts[3] = {0};
    Random random = random_seeded(7);
    struct buf *out = buf_in_arena(ctx->arena, 256);
    for (int i = 0; i < 8000; i++) {
        buf_clear(out);
        spin_expand(spin, &NO_VARS, &random, out, NULL, NULL);
        counts[out->data[0] - '1']++;
    }
    assert_in_range(counts[0], 1800, 2200);
    assert_in_range(counts[1], 1800, 2200);
    assert_in_range(counts[2], 3800, 4200);
}

static void names_are_listed_once_with_their_need(void **state)
{
    struct ctx *ctx = *state;
    const struct spin_name *names;
    const struct spin *spin =
        parse(ctx, "{City} {{CITY|here}} {{county|there}} [[STATE]] [[PRONOUN]] {a|{City}}");
    assert_int_equal(spin_names(spin, &names), 3);
    expect_str(names[0].name, "city");
    assert_true(names[0].is_required);
    expect_str(names[1].name, "county");
    assert_false(names[1].is_required);
    expect_str(names[2].name, "state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(counts_are_products_of_sums),
        FIXTURE_TEST(texts_come_with_the_last_choice_fastest),
        FIXTURE_TEST(no_text_of_a_nested_template_has_braces),
        FIXTURE_TEST(counts_stop_at_the_largest_number),
        FIXTURE_TEST(a_dictionary_multiplies_like_a_group),
        FIXTURE_TEST(upper_layers_hide_lower_ones),
        FIXTURE_TEST(names_are_found_in_any_case_and_either_form),
        FIXTURE_TEST(a_default_serves_an_absent_or_empty_value),
        FIXTURE_TEST(unknown_names_stay_and_are_reported_once),
        FIXTURE_TEST(values_are_data_and_not_read_again),
        FIXTURE_TEST(dollars_in_options_survive),
        FIXTURE_TEST(plural_suffixes_stick_to_names),
        FIXTURE_TEST(html_values_are_escaped_and_components_are_not),
        FIXTURE_TEST(double_braces_are_a_name_only_when_whole),
        FIXTURE_TEST(braces_that_are_neither_stay_with_a_note),
        FIXTURE_TEST(empty_options_are_legal_with_a_note),
        FIXTURE_TEST(a_pipe_outside_braces_is_text_with_a_note),
        FIXTURE_TEST(unbalanced_templates_are_refused_with_their_position),
        FIXTURE_TEST(limits_are_reached_and_refused_beyond),
        FIXTURE_TEST(lenient_reading_keeps_what_it_cannot_read),
        FIXTURE_TEST(output_stops_at_its_limit),
        FIXTURE_TEST(grammar_agrees_with_the_avatar),
        FIXTURE_TEST(articles_and_capitals_read_what_is_inside_first),
        FIXTURE_TEST(a_seed_gives_one_text_for_ever),
        FIXTURE_TEST(every_choice_is_uniform_within_its_group),
        FIXTURE_TEST(names_are_listed_once_with_their_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
