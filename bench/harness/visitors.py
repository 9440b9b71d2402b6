"""What visitors send: forms, durable when answered, beside the same three inserts by pgbench; events."""

import json
import os

from . import data, requests
from .errors import NotAvailable
from .load import CONNECTIONS, HttpLoad, PgbenchLoad
from .server import Tracked
from .suite import Workload

FORMS = 3
CLIENTS = 16
COUNT_ROWS = ("select (select count(*) from form_submissions), (select count(*) from leads),"
              " (select count(*) from conversions)")


def form_requests():
    """Three forms on each site; name, address and text differ with every request."""
    found = []
    for site in range(1, data.SITES + 1):
        for form in range(1, FORMS + 1):
            body = json.dumps({
                "site_id": data.site_id(site), "form_slug": f"form-{form}", "form_age_ms": 5000,
                "data": {"name": f"Visitor {requests.SEQUENCE}", "email": "visitor@example.com",
                         "phone": "+43 1 5550100", "message": data.FORM_MESSAGE},
                "page_url": "https://" + data.domain(site) + "/contact", "utm_source": "newsletter",
            }, separators=(",", ":"))
            found.append(requests.Request("POST", "/api/forms/submit", "", body, data.domain(site)))
    return found


def form_check(request, answer):
    answer = json.loads(answer)
    assert answer["success"] is True and answer["submission_id"], "not accepted"
    assert answer["lead_id"] and answer["conversion_id"], "no lead or no conversion"


class FormRows:
    """Proves that an answered form is three rows."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.counts = None

    def before(self, _name):
        """With statistics: plans of tables that were empty a second ago would be measured else."""
        self.postgres.sql("vacuum analyze form_submissions, leads, conversions")
        self.postgres.sql("checkpoint")
        self.counts = self.read()

    def read(self):
        return [int(count) for count in self.postgres.sql(COUNT_ROWS)[0]]

    def after(self, _name, sample):
        made = [now - then for now, then in zip(self.read(), self.counts)]
        if not all(sample.requests <= count <= sample.requests + CONNECTIONS for count in made):
            raise NotAvailable(f"{sample.requests} forms answered, but submissions, leads and "
                               f"conversions grew by {made}")


class TenantPgbench(PgbenchLoad):
    """pgbench under the role, and so under the row security, of Spark's own connections."""

    def run(self, seconds):
        os.environ["PGOPTIONS"] = "-c role=spark_tenant"
        try:
            return super().run(seconds)
        finally:
            del os.environ["PGOPTIONS"]


def forms(stack, out_dir):
    stack.postgres.sql(data.read("sql", "forms_seed.sql"), sites=data.SITES, forms=FORMS)
    spark = HttpLoad("spark-form", stack.port, stack.server.pid, form_requests(), out_dir,
                     stack.postgres, form_check, status=201)
    pgbench = TenantPgbench("pgbench-form", stack.postgres,
                            ["-D", f"sites={data.SITES}", "-D", f"forms={FORMS}"], CLIENTS,
                            os.path.join(data.BENCH, "sql", "pgbench_form.sql"))
    rows = FormRows(stack.postgres)
    return Workload("form", "POST /api/forms/submit, durable", {"spark": spark, "pgbench": pgbench},
                    rows.before, rows.after)


def event_requests():
    found = []
    for site in range(1, data.SITES + 1):
        body = json.dumps({"site_id": data.site_id(site), "event_name": "scroll", "event_category": "bench",
                           "event_label": requests.SEQUENCE, "page_path": "/blog/bench",
                           "session_id": "s_bench", "visitor_id": "v_bench",
                           "metadata": {"depth": 75}}, separators=(",", ":"))
        found.append(requests.Request("POST", "/api/track/event", "", body, data.domain(site)))
    return found


def events(stack, out_dir):
    return Tracked(stack, out_dir, "event", event_requests(), requests.pageview_check,
                   "select count(*) from events where visitor_id = 'v_bench'")
