#!/usr/bin/env python3
"""Modules: the folders of a layer, the headers that others may include, and who stands on whom."""

import re
import sys

from layers import INCLUDE, LAYERS, ROOT, sources, spelling, tell

# Of each layer its modules, from the ground up: one may include itself and those before it. A module is entered by
# the header of its own name; where there are others, they are listed.
MODULES = {
    "io": {
        "reactor": ("reactor.h",),
        "fiber": ("fiber.h", "loop.h", "offload.h", "json_apart.h"),
        "redis": ("redis.h",),
        "net": ("http_client.h", "mailer.h"),
        "pg": ("db.h", "db_error.h", "db_wait.h", "migrate.h", "migrate_files.h"),
        "setup": ("setup.h",),
    },
    "access": {
        "grants": ("actor.h", "grants.h", "grants_build.h", "app_access.h"),
        "limits": ("ip_range.h", "denial_limit.h", "hash_gate.h", "rate.h", "login_limit.h", "login_known.h"),
        "audit": ("activity.h", "audit.h"),
        "identity": ("authenticate.h", "current.h", "session.h", "site_token.h", "admin_user.h",
                     "explained.h", "share.h"),
    },
    "content": {
        "filter": ("filter.h", "filter_eval.h", "field_type.h"),
        "schema": ("schema.h", "sealed.h"),
        "query": ("query.h",),
        "plan": ("plan.h", "compile.h", "row_value.h", "sql_print.h"),
        "run": ("run.h", "row_sink.h"),
        "changes": ("changes.h",),
        "items": ("items.h", "items_draft.h", "items_rules.h", "write_reference.h"),
        "rights": ("rights.h",),
        "system": ("system.h", "versions.h"),
        "ddl": ("ddl.h",),
        "catalog": ("catalog.h",),
        "load": ("load.h",),
    },
    "jobs": {
        "queue": ("job.h", "job_kind.h", "queue.h", "claim.h", "lease.h", "keys.h", "crash_page.h"),
        "steward": ("steward.h", "schedule.h"),
        "retention": ("retention.h",),
    },
    "visitors": {
        "tracking": ("tracking.h",),
        "outbound": ("outbound.h",),
        "forms": ("forms.h",),
    },
    "factory": {
        "text": ("text.h",),
        "svg": ("svg.h",),
        "spin": ("spin.h",),
        "library": ("library.h",),
        "articles": ("campaign.h", "article_store.h", "generate.h", "velocity.h", "guards.h"),
        "headlines": ("headline_store.h",),
        "links": ("links_store.h",),
        "duplicates": ("duplicates.h",),
        "production": ("production.h",),
        "review": ("review.h",),
        "blueprint": ("blueprint.h",),
    },
    # Families of api are modules of their own, which nobody enters: they do not know each other.
    "server": {
        "http": ("http.h", "request.h", "reply.h", "exchange.h"),
        "dispatch": ("dispatch.h", "route.h", "router.h", "extension_routes.h", "origin.h", "cookie.h", "media_type.h", "tags.def"),
        "rest": ("rest_answer.h", "rest_rows.h"),
        "pages": ("pages.h",),
        "api": ("listing.h",),
        "api/access": (),
        "api/content": (),
        "api/factory": (),
        "api/jobs": (),
        "api/schema": (),
        "api/server": (),
        "api/sessions": (),
        "api/shares": (),
        "api/sites": (),
        "api/users": (),
        "api/utils": (),
        "api/versions": (),
        "api/visitors": (),
    },
    "cli": {
        "process": ("process.h",),
        "places": ("places.h", "environment.h"),
        "console": ("say.h", "plain_text.h"),
        "backends": ("embedded_postgres.h", "embedded_redis.h", "sync_postgres.h", "probe.h", "doctor.h", "seals.h"),
        "supervise": ("up_steps.h", "demo.h"),
        "commands": ("command.h",),
    },
}
# What puts the modules of a layer together.
COMPOSED_BY = {"server/main.c", "server/main.h"}

JOB_KIND = re.compile(r"^(?:static )?const struct job_kind \w+\s*=", flags=re.M)


def module_of(name):
    """('content', 'items') of content/items/write.h; None for what is in no module."""
    parts = name.split("/")
    for depth in (2, 1):  # server/api/jobs/ stands in server/api/
        module = "/".join(parts[1:1 + depth])
        if len(parts) > 1 + depth and module in MODULES.get(parts[0], {}):
            return parts[0], module
    return None


def header_of(name):
    """How its module's row says it."""
    layer, module = module_of(name)
    return name.removeprefix(f"{layer}/{module}/")


def includes():
    """(including file, its module, the spelling of what it includes, that one's module)."""
    for layer, (folder, _) in LAYERS.items():
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            own = module_of(spelling(path, layer))
            for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
                other = module_of(name)
                if other is not None and other != own:
                    yield path.relative_to(ROOT), own, name, other


def side_entrances():
    for path, _, name, (layer, module) in includes():
        if header_of(name) not in MODULES[layer][module]:
            yield f"{path} includes {name}, which is {layer}/{module}'s own"


def climbs():
    for path, own, name, (layer, module) in includes():
        if own is None or own[0] != layer:
            continue
        order = list(MODULES[layer])
        if order.index(module) > order.index(own[1]):
            yield f"{path} includes {name}, and {module} stands on {own[1]}"


def homeless():
    for layer in MODULES:
        for path in sorted((ROOT / LAYERS[layer][0]).rglob("*.[ch]")):
            name = spelling(path, layer)
            module = module_of(name)
            is_apart = module is not None and module[1] == "api" and name.count("/") > 2
            if (module is None and name not in COMPOSED_BY) or is_apart:
                yield f"{path.relative_to(ROOT)} is in no module"


def stale_rows():
    for layer, modules in MODULES.items():
        for module, headers in modules.items():
            for header in headers:
                name = f"{layer}/{module}/{header}"
                if not any(re.fullmatch(re.escape(name), used) for _, _, used, _ in includes()):
                    yield f"nobody outside includes {name}: it need not be public"


def long_files():
    """A public header tells of a whole module; others stay shorter."""
    for path, layer in sources():
        lines = path.read_text(encoding="utf-8").count("\n")
        name = spelling(path, layer)
        module = module_of(name)
        is_public = module is not None and header_of(name) in MODULES[module[0]][module[1]]
        most = 600 if path.suffix != ".h" else 200 if is_public else 150
        if lines > most and path.name not in {"db.h", "fiber.h"}:
            yield f"{path.relative_to(ROOT)} has {lines} lines, at most {most} are wanted"


def strayed_job_kinds():
    """Of each module: a kind stands in <subject>_job.c, and what is called so declares one."""
    for path, layer in sources():
        count = len(JOB_KIND.findall(path.read_text(encoding="utf-8")))
        wanted = path.name.endswith("_job.c") and layer in MODULES
        if path.suffix == ".c" and count != (1 if wanted else 0):
            yield f"{path.relative_to(ROOT)} declares {count} kinds of jobs; one is declared in <subject>_job.c of its module"


CLAIMS = {
    "a_module_is_entered_by_its_public_headers": side_entrances,
    "modules_of_a_layer_include_downwards_only": climbs,
    "every_file_of_these_layers_is_in_a_module": homeless,
    "no_header_is_public_for_nobody": stale_rows,
    "files_stay_within_their_length": long_files,
    "a_job_kind_is_declared_in_a_file_of_its_subject": strayed_job_kinds,
}


if __name__ == "__main__":
    sys.exit(tell(CLAIMS))
