#include "cli/backends/doctor.h"

#include "base/json/json_writer.h"
#include "base/system/process.h"
#include "cli/commands/command.h"

#include <stdio.h>

int command_doctor(struct cli *cli, int argc, char **argv);

enum { OUTPUT_MAX = 1 << 20 };

void finding_add(struct findings *findings, enum finding_state state, Str subject, Str detail,
                 Str advice)
{
    if (findings->count < FINDINGS_MAX)
        findings->rows[findings->count++] = (struct finding){
            .state = state, .subject = subject, .detail = detail, .advice = advice};
}

static const char *const STATES[] = {
    [FINDING_GOOD] = "good", [FINDING_ODD] = "odd", [FINDING_BAD] = "bad"};

static void print_json(struct cli *cli, const struct findings *findings)
{
    struct buf *out = buf_in_arena(cli->ctx.arena, OUTPUT_MAX);
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->rows[i];
        json_object_begin(&w);
        json_field_str(&w, "subject", finding->subject);
        json_field_str(&w, "state", str_from_z(STATES[finding->state]));
        json_field_str(&w, "detail", finding->detail);
        json_field_str(&w, "advice", finding->advice);
        json_object_end(&w);
    }
    json_array_end(&w);
    printf("%.*s\n", STR_FMT(buf_str(out)));
}

static void print_lines(const struct findings *findings)
{
    static const char *const marks[] = {
        [FINDING_GOOD] = "✓", [FINDING_ODD] = "!", [FINDING_BAD] = "✗"};
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->rows[i];
        printf("  %s %-20.*s %.*s\n", marks[finding->state], STR_FMT(finding->subject),
               STR_FMT(finding->detail));
        if (finding->advice.len > 0)
            printf("      → %.*s\n", STR_FMT(finding->advice));
    }
}

/* Checks the settings that a server requires or that are recommended. */
static void look_at_settings(const struct settings *settings, struct findings *findings)
{
    bool has_secret = settings->secret.len > 0;
    finding_add(findings, has_secret ? FINDING_GOOD : FINDING_BAD, STR("SECRET"),
                has_secret ? STR("set") : STR("not set"), /* settings_load checks its length */
                has_secret ? STR_NONE : STR("set it to 32 random characters or more"));
    bool has_token = settings->admin_token.len > 0 || settings->admin_password.len > 0;
    finding_add(findings, has_token ? FINDING_GOOD : FINDING_ODD, STR("administrator"),
                has_token ? STR("ADMIN_TOKEN or ADMIN_PASSWORD is set") : STR("not set"),
                has_token ? STR_NONE : STR("set ADMIN_TOKEN or ADMIN_PASSWORD"));
}

/* Reports invalid values, which every other command refuses. */
static void look_at_faults(struct cli *cli, struct findings *findings)
{
    for (const struct diag_entry *entry = cli->ctx.diag.first; entry != NULL; entry = entry->next)
        finding_add(findings, FINDING_BAD, STR("settings"), entry->reason,
                    STR("no process starts before this is corrected"));
    diag_clear(&cli->ctx);
}

/* The server raises its soft limit itself; only the operator can raise the hard limit. */
static void look_at_descriptors(struct cli *cli, const struct settings *settings,
                                struct findings *findings)
{
    int64_t max = process_connections_max(settings);
    bool is_capped = max < settings->connections_max;
    finding_add(findings, is_capped ? FINDING_ODD : FINDING_GOOD, STR("client connections"),
                str_printf(cli->ctx.arena, "%jd, with %jd descriptors", (intmax_t)max,
                           (intmax_t)process_descriptors()),
                is_capped ? STR("raise the hard limit of open files (LimitNOFILE, ulimit -Hn), or "
                                "lower CONNECTIONS_MAX")
                          : STR_NONE);
}

int command_doctor(struct cli *cli, int argc, char **argv)
{
    bool is_json = false;
    const struct option options[] = {{.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 1, NULL))
        return CLI_USAGE;

    struct settings settings;
    struct findings *findings = arena_new(cli->ctx.arena, struct findings);
    if (command_settings(cli, &settings) != OK) {
        look_at_faults(cli, findings);
    } else {
        look_at_settings(&settings, findings);
        look_at_descriptors(cli, &settings, findings);
        doctor_postgres(&cli->ctx, &settings, findings);
        doctor_redis(&cli->ctx, &settings, findings);
    }
    if (is_json)
        print_json(cli, findings);
    else
        print_lines(findings);
    for (uint32_t i = 0; i < findings->count; i++)
        if (findings->rows[i].state == FINDING_BAD)
            return CLI_REFUSED;
    return CLI_DONE;
}
