/*
 * POST /api/forms/submit: a submitted form. Submission, lead and conversion are written in one
 * transaction and durable before the answer; the same form twice within a minute counts once.
 */
#include "visitors/forms/forms.h"

#include "gen/routes/visitors.h"
#include "server/api/visitors/public.h"

/* People need at least this long to fill in a form. */
enum { FORM_AGE_MIN_MS = 2000 };
#define THANKS_DEFAULT STR("Thank you for your submission!")

/* Detects robots: a filled honeypot field, or a form submitted too quickly. */
static bool is_spam(const struct form_submit_input *input)
{
    return input->honeypot.len > 0 || input->form_age_ms < FORM_AGE_MIN_MS;
}

static Str unless_empty(Str text)
{
    return text.len > 0 ? text : STR_NONE;
}

fiber_fn Err route_form_submit(struct ctx *ctx, const struct request *request,
                               const struct form_submit_input *input, struct reply *reply)
{
    if (uuid_is_nil(input->form_id) && input->form_slug.len == 0)
        return input->faults;
    struct form form;
    TRY(form_find(ctx, input->form_id, input->form_slug, &form));
    struct submission submission = {
        .click = CLICK(input),
        .page_url = input->page_url,
        .ip = visitor_ip(ctx, request),
        .user_agent = visitor_agent(request),
        .is_spam = is_spam(input),
    };
    TRY(submission_read(ctx, &form, input->data, &submission));
    TRY(input->faults);
    TRY(submission_store(ctx, &form, &submission));
    reply->status = 201;
    form_submit_reply_write(
        &reply->json, &(struct form_submit_reply){
                          .submission_id = submission.id,
                          .lead_id = submission_has_lead(&submission) ? submission.lead : (Uuid){0},
                          .conversion_id = submission.conversion,
                          .redirect_url = unless_empty(form.redirect_url),
                          .success_message = form.thanks.len > 0 ? form.thanks : THANKS_DEFAULT,
                      });
    return OK;
}
