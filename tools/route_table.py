"""Reads server/api/<family>/routes.def: routes, and below each the fields that it takes and those of its reply.

    ROUTE("POST", "/api/lead", lead_post, GUARD_VISITOR, BODY_PUBLIC, TAG_VISITORS, RATE_FORM, SITE_HOST, WRITES, "Stores a lead.")
        BODY(email, TEXT(254), REQUIRED, "The address of the visitor.")
        REPLY(id, UUID, "The lead.")

One row a line. The rows below a route are its own until the next ROUTE or GROUP; server/api/README.md lists them.
A mistake ends with file:line and a sentence. Run as a program, it prints all routes as JSON, for the tests.
"""

import json
import pathlib
import re
from dataclasses import dataclass, field, replace

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAMILIES = "server/api/*/routes.def"

STRING = r'"(?:[^"\\]|\\.)*"'
COMMENT = re.compile(r"/\*.*?\*/", flags=re.S)
ROW = re.compile(r"\s*(?P<macro>[A-Z_]+)\((?P<arguments>.*)\)\s*$")
NAME = re.compile(r"[a-z][a-z0-9_]*$")
WORD = re.compile(r"\s*([A-Z_]+)")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "SEARCH")
WRITES = ("READS", "WRITES", "OPENS")
SITE_RULES = ("SITE_NONE", "SITE_CALLER", "SITE_HOST", "SITE_HOST_OR_NONE", "SITE_PLATFORM", "SITE_NAMED",
              "SITE_NAMED_OR_PLATFORM", "SITE_OF")
# Rules that ask which site a request of /api names; its field is added, unless the route has one of its own.
NAMING_RULES = ("SITE_HOST", "SITE_NAMED", "SITE_NAMED_OR_PLATFORM", "SITE_OF")

# How many arguments a type has.
TYPES = {"TEXT": 1, "SCALAR": 1, "INT": 2, "BOOL": 0, "UUID": 0, "IDS": 1, "TIME": 1, "MONEY": 0,
         "OBJECT": 0, "JSON": 0, "ANY": 0}
OPTIONS = ("ALIAS", "REQUIRED", "FILLED", "DEFAULT", "CHOICES", "FOLDED", "BLANKABLE", "CAPPED", "HAS", "NULLABLE",
           "OF", "SAYS", "WITH", "UNLESS", "STRICT")


# Of replies. LIST and OBJECT are of a GROUP, whose rows are REPLY rows too.
REPLY_TYPES = {"TRUE": 0, "BOOL": 0, "INT": 0, "COUNT": 0, "REAL": 0, "TEXT": 0, "UUID": 0, "TIME": 0, "RAW": 0, "TEXTS": 0,
               "UUIDS": 0, "OBJECT": 1, "LIST": 1}
REPLY_OPTIONS = ("NULLABLE", "OPTIONAL")

# What a body, or the answer with a status, looks like as a whole.
BODY_SHAPES = ("FIELDS", "OBJECT", "OBJECTS", "KEYS")
ANSWER_SHAPES = ("REPLY", "OBJECT", "ITEM", "ITEMS", "TEXT", "NOTHING")
JSON_MEDIA = "application/json"
C_WORDS = ("case", "default", "double", "float", "int", "long", "register", "short", "static", "switch")


class Mistake(Exception):
    pass


@dataclass
class Field:
    place: str  # BODY or QUERY
    path: str   # velocity.mode
    type: str
    limits: list
    options: dict
    help: str
    where: str

    def leaf(self):
        return self.path.rpartition(".")[2]

    def parent(self):
        return self.path.rpartition(".")[0]

    def member(self):
        """Of the struct; ANY has none, for nobody reads it."""
        return None if self.type == "ANY" else self.path.replace(".", "_")

    def alias(self):
        return self.options.get("ALIAS", [None])[0]

    def names(self):
        return [name for name in (self.alias(), self.leaf()) if name]


@dataclass
class Reply:
    name: str
    type: str
    group: str | None
    options: dict
    help: str

    def member(self):
        """Of the struct: a name like pg:responseTime or default is none in C."""
        name = re.sub(r"\W", "_", self.name)
        return name + "_" if name in C_WORDS else name

    def has_flag(self):
        """Numbers and objects have no value of their own that could mean none."""
        return bool(self.options) and self.type in ("BOOL", "INT", "COUNT", "REAL", "TIME", "OBJECT", "LIST", "TEXTS", "UUIDS")


@dataclass
class Shape:
    status: str  # BODY, 204, or 2XX for any that is a success
    type: str
    media: str | None
    group: str | None
    help: str


@dataclass
class Route:
    method: str
    pattern: str
    name: str
    guard: str
    body: str
    tag: str
    rate: str
    site: str
    subjects: list
    write: str
    summary: str
    family: str
    where: str
    fields: list = field(default_factory=list)
    replies: list = field(default_factory=list)
    shapes: list = field(default_factory=list)
    needs: list = field(default_factory=list)   # (names, sentence or None)
    keeps: list = field(default_factory=list)   # "type name"
    is_checked: bool = False
    is_late: bool = False
    has_free_body: bool = False
    reads_itself: bool = False  # its rows describe the body, which the handler reads
    handler: str = ""           # whose handler serves it; its own, if empty
    collection: str = ""        # of a route of CRUD

    def is_api(self):
        return self.pattern.startswith(("/api/", "/god/"))

    def has_input(self):
        return bool(self.fields or self.keeps) and not self.reads_itself

    def find(self, path):
        return next((f for f in self.fields if f.path == path), None)


@dataclass
class Family:
    name: str
    routes: list = field(default_factory=list)
    includes: list = field(default_factory=list)
    groups: dict = field(default_factory=dict)  # fields and replies, by name

    def shapes(self):
        """The groups that are objects of replies."""
        return {name: [row for row in rows if isinstance(row, Reply)] for name, rows in self.groups.items()
                if any(isinstance(row, Reply) for row in rows)}

    def described(self):
        """The groups that an answer, or an object in one, refers to."""
        rows = [row for group in self.shapes().values() for row in group]
        rows += [row for route in self.routes for row in route.replies + route.shapes]
        return {row.group for row in rows}


def split(arguments):
    """At the commas outside strings and parentheses."""
    parts, depth, start, in_string = [], 0, 0, False
    for i, c in enumerate(arguments):
        if c == '"' and (i == 0 or arguments[i - 1] != "\\"):
            in_string = not in_string
        elif not in_string and c in "()":
            depth += 1 if c == "(" else -1
        elif not in_string and c == "," and depth == 0:
            parts.append(arguments[start:i].strip())
            start = i + 1
    rest = arguments[start:].strip()
    return parts + [rest] if rest or parts else []


def unquote(text, where):
    if not re.fullmatch(STRING, text):
        raise Mistake(f"{where}: {text} must be a string")
    return text[1:-1].replace('\\"', '"')


def closing(text, start):
    """Where the parenthesis at `start` ends; -1: nowhere."""
    depth, in_string = 0, False
    for i in range(start, len(text)):
        if text[i] == '"' and text[i - 1] != "\\":
            in_string = not in_string
        elif not in_string and text[i] in "()":
            depth += 1 if text[i] == "(" else -1
            if depth == 0:
                return i
    return -1


def words(text, where):
    """WORD WORD(a, b) … as {word: arguments}."""
    found, position = {}, 0
    text = text.strip()
    while position < len(text):
        match = WORD.match(text, position)
        if match is None:
            raise Mistake(f"{where}: cannot read '{text[position:]}'")
        position, arguments = match.end(), []
        if text[position:position + 1] == "(":
            end = closing(text, position)
            if end < 0:
                raise Mistake(f"{where}: '{text}' has no end")
            position, arguments = end + 1, split(text[position + 1:end])
        found[match[1]] = arguments
    return found


def check_options(options, place, where):
    for option, arguments in options.items():
        if option not in OPTIONS:
            raise Mistake(f"{where}: there is no option '{option}'")
        if option == "SAYS":
            options[option] = [arguments[0], unquote(arguments[1], where)]
    if place == "QUERY" and "NULLABLE" in options:
        raise Mistake(f"{where}: no parameter of a query is null")


def read_field(place, arguments, where):
    parts = split(arguments)
    if len(parts) not in (3, 4):
        raise Mistake(f"{where}: a field has a name, a type, perhaps options, and a sentence")
    path, (type_, limits) = parts[0], next(iter(words(parts[1], where).items()))
    if not all(re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", part) for part in path.split(".")):
        raise Mistake(f"{where}: '{path}' is no name of a field")
    if TYPES.get(type_) != len(limits):
        raise Mistake(f"{where}: '{parts[1]}' is no type of a field")
    options = words(parts[2], where) if len(parts) == 4 else {}
    check_options(options, place, where)
    return Field(place, path, type_, limits, options, unquote(parts[-1], where), where)


def read_reply(family, arguments, where):
    parts = split(arguments)
    if len(parts) not in (3, 4):
        raise Mistake(f"{where}: a reply has a name, a type, perhaps options, and a sentence")
    type_, groups = next(iter(words(parts[1], where).items()))
    options = words(parts[2], where) if len(parts) == 4 else {}
    if REPLY_TYPES.get(type_) != len(groups):
        raise Mistake(f"{where}: '{parts[1]}' is no type of a reply")
    if groups and groups[0] not in family.groups:
        raise Mistake(f"{where}: there is no group '{groups[0]}' above")
    if any(option not in REPLY_OPTIONS for option in options):
        raise Mistake(f"{where}: '{parts[2]}' is no option of a reply")
    return Reply(parts[0], type_, groups[0] if groups else None, options, unquote(parts[-1], where))


def shape_argument(family, type_, given, where):
    """The media type and the group that the parentheses name."""
    media = None if type_ == "NOTHING" else JSON_MEDIA
    if not given:
        if type_ == "TEXT":
            raise Mistake(f"{where}: TEXT is of a media type")
        return media, None
    if type_ in ("REPLY", "TEXT"):
        return unquote(given[0], where), None
    if type_ != "OBJECT":
        raise Mistake(f"{where}: {type_} is of nothing")
    if given[0] not in family.shapes():
        raise Mistake(f"{where}: there is no group '{given[0]}' of replies above")
    return media, given[0]


def read_shape(family, arguments, where):
    parts = split(arguments)
    if len(parts) != 3:
        raise Mistake(f"{where}: a shape has a status or BODY, a word, and a sentence")
    type_, given = next(iter(words(parts[1], where).items()))
    is_body = parts[0] == "BODY"
    if not is_body and not re.fullmatch(r"[2-5][0-9]{2}", parts[0]):
        raise Mistake(f"{where}: '{parts[0]}' is neither BODY nor a status")
    if type_ not in (BODY_SHAPES if is_body else ANSWER_SHAPES) or len(given) > (0 if is_body else 1):
        raise Mistake(f"{where}: '{parts[1]}' is no shape of {'a body' if is_body else 'an answer'}")
    return Shape(parts[0], type_, *shape_argument(family, type_, given, where), unquote(parts[2], where))


def read_route(arguments, family, where):
    parts = split(arguments)
    if len(parts) != 10:
        raise Mistake(f"{where}: a route has 10 columns: method, pattern, handler, guard, body, tag, rate class, "
                      "site rule, write rule, summary")
    site, subjects = next(iter(words(parts[7], where).items()))
    route = Route(unquote(parts[0], where), unquote(parts[1], where), *parts[2:7], site, subjects, parts[8],
                  unquote(parts[9], where), family, where)
    if route.method not in METHODS:
        raise Mistake(f"{where}: there is no method {route.method}")
    if not NAME.match(route.name):
        raise Mistake(f"{where}: '{route.name}' is no name of a handler")
    if site not in SITE_RULES or (site == "SITE_OF") != bool(subjects):
        raise Mistake(f"{where}: '{parts[7]}' is no site rule")
    if route.write not in WRITES:
        raise Mistake(f"{where}: '{route.write}' is no write rule")
    if route.write == "WRITES" and route.guard == "GUARD_OPEN":
        raise Mistake(f"{where}: nobody is known here whose token could be asked whether it may write")
    return route


# What CRUD makes of each route of items: its pattern below the path, and its verb.
CRUD_VERBS = {"INDEX": "items_index", "SEARCH": "items_search", "CREATE": "items_post", "UPDATE_MANY": "items_patch_many",
              "DELETE_MANY": "items_delete_some", "SHOW": "items_show", "UPDATE": "items_patch", "DELETE": "items_remove"}
CRUD_SETS = {"ALL": tuple(CRUD_VERBS), "READ": ("INDEX", "SEARCH", "SHOW"), "SINGLETON": ("INDEX", "UPDATE_MANY")}


def about(text, noun, plural):
    """A sentence about items, as one about something else."""
    text = re.sub(r"\bitems\b", plural, text)
    return re.sub(r"\b(an )?item\b", lambda m: ("an " if noun[0] in "aeio" else "a ") * bool(m[1]) + noun, text)


def about_shapes(shapes, is_singleton, noun, plural):
    """Without the shapes of the other kind; a singleton's own need not say so."""
    prefix = "For a singleton: its "
    kept = [shape for shape in shapes if shape.status == "BODY" or shape.status == "204" or
            shape.help.startswith(prefix) == is_singleton]
    return [replace(shape, help=about(shape.help.replace(prefix, "The "), noun, plural)) for shape in kept]


def read_crud(family, arguments, where):
    """CRUD(path, collection, tag, noun, plural, verbs): the routes of items, for one system collection."""
    parts = split(arguments)
    if len(parts) != 6:
        raise Mistake(f"{where}: CRUD has a path, a collection, a tag, a noun, its plural, and verbs")
    path, collection, tag = unquote(parts[0], where), parts[1], parts[2]
    noun, plural = unquote(parts[3], where), unquote(parts[4], where)
    verbs = [verb for word in parts[5].split() for verb in CRUD_SETS.get(word, (word,))]
    models = {route.name: route for route in family.routes}
    for verb in verbs:
        if CRUD_VERBS.get(verb) not in models:
            raise Mistake(f"{where}: there is no '{verb}' of items above")
        model = models[CRUD_VERBS[verb]]
        family.routes.append(replace(
            model, pattern=path + model.pattern.removeprefix("/items/:collection"),
            name=f"{collection.removeprefix('directus_')}_{verb.lower()}", tag=tag,
            summary=about(model.summary, noun, plural), where=where, handler=model.name, collection=collection,
            fields=[replace(f, help=about(f.help, noun, plural)) for f in model.fields],
            shapes=about_shapes(model.shapes, parts[5] == "SINGLETON", noun, plural)))


def add_rows(route, group, rows, where):
    """To the open group, or to the route's fields and replies."""
    if route is None and group is None:
        raise Mistake(f"{where}: this row belongs below a ROUTE")
    for row in rows:
        if group is not None:
            group.append(row)
        else:
            (route.replies if isinstance(row, Reply) else route.fields).append(row)


def read_row(family, state, macro, arguments, where):
    """One line; state is the route, or the list of a group's fields, that rows belong to."""
    route, group = state
    if macro == "ROUTE":
        family.routes.append(read_route(arguments, family.name, where))
        return family.routes[-1], None
    if macro == "CRUD":
        read_crud(family, arguments, where)
        return None, None
    if macro == "GROUP":
        family.groups[arguments.strip()] = []
        return None, family.groups[arguments.strip()]
    if macro == "INCLUDE":
        family.includes.append(unquote(arguments, where))
        return state
    if macro in ("BODY", "QUERY"):
        add_rows(route, group, [read_field(macro, arguments, where)], where)
    elif macro == "REPLY":
        add_rows(route, group, [read_reply(family, arguments, where)], where)
    elif macro == "USE":
        if arguments not in family.groups:
            raise Mistake(f"{where}: there is no group '{arguments}' above")
        add_rows(route, group, family.groups[arguments], where)
    elif route is None and group is None:
        raise Mistake(f"{where}: this row belongs below a ROUTE")
    elif group is not None:
        raise Mistake(f"{where}: a group has fields and replies only")
    elif macro == "SHAPE":
        route.shapes.append(read_shape(family, arguments, where))
    elif macro == "NEEDS":
        parts = split(arguments)
        says = unquote(parts.pop(), where) if parts[-1].startswith('"') else None
        route.needs.append((parts, says))
    elif macro == "KEEPS":
        route.keeps.append(arguments.strip())
    elif macro == "CHECK":
        route.is_checked = True
    elif macro == "LATE":
        route.is_late = True
    elif macro == "FREE":
        route.has_free_body = True
    else:
        raise Mistake(f"{where}: there is no row {macro}")
    return state


def add_site(route):
    """The field that names the site, before all others."""
    if not route.is_api() or route.site not in NAMING_RULES or route.find("site_id"):
        return
    place = "QUERY" if route.body == "BODY_NONE" else "BODY"
    route.fields.insert(0, Field(place, "site_id", "UUID", [], {"ALIAS": ["site"]},
                                 "The site; a token of a site need not name it.", route.where))


def add_shapes(route):
    """Fields and replies are shapes themselves, where the rows name no other."""
    bodies = [shape for shape in route.shapes if shape.status == "BODY"]
    route.reads_itself = any(shape.type == "FIELDS" for shape in bodies)
    if not bodies and any(f.place == "BODY" for f in route.fields):
        route.shapes.append(Shape("BODY", "FIELDS", JSON_MEDIA, None, ""))
    if route.replies and all(shape.status == "BODY" for shape in route.shapes):
        route.shapes.append(Shape("2XX", "REPLY", JSON_MEDIA, None, "Done."))


def check_shapes(route):
    if (route.body == "BODY_NONE") != all(shape.status != "BODY" for shape in route.shapes):
        raise Mistake(f"{route.where}: {route.name} needs BODY rows or a SHAPE of its body, "
                      "and none where it takes no body")
    if all(shape.status == "BODY" for shape in route.shapes):
        raise Mistake(f"{route.where}: {route.name} says with no REPLY or SHAPE what it answers")
    if any(shape.type == "REPLY" for shape in route.shapes) != bool(route.replies):
        raise Mistake(f"{route.where}: {route.name} has REPLY rows and no answer of that shape, or the reverse")
    if any(shape.type == "FIELDS" for shape in route.shapes) and not route.fields:
        raise Mistake(f"{route.where}: {route.name} has no fields")
    media = {(shape.status, shape.media) for shape in route.shapes}
    if len(media) != len({status for status, _ in media}):
        raise Mistake(f"{route.where}: {route.name} answers one status with two media types")
    if route.reads_itself and (route.keeps or route.needs or route.is_checked or route.is_late):
        raise Mistake(f"{route.where}: {route.name} reads its body itself: nothing is checked before")


def check_route(route):
    paths = [f.path for f in route.fields]
    if len(set(paths)) != len(paths) or len(paths) > 64:
        raise Mistake(f"{route.where}: {route.name} names a field twice, or more than 64")
    for f in route.fields:
        if f.parent() and (route.find(f.parent()) is None or route.find(f.parent()).type != "OBJECT"):
            raise Mistake(f"{f.where}: '{f.parent()}' is no object of {route.name}")
        if f.place == "BODY" and route.body == "BODY_NONE":
            raise Mistake(f"{f.where}: {route.name} takes no body")
    for f in route.fields:
        for name in f.options.get("WITH", []) + f.options.get("UNLESS", []):
            if route.find(name) is None or f.place != "BODY":
                raise Mistake(f"{f.where}: {route.name} has no field '{name}' of a body")
    for name in [name for names, _ in route.needs for name in names] + route.subjects:
        if route.find(name) is None:
            raise Mistake(f"{route.where}: {route.name} has no field '{name}'")
    for name in route.subjects:
        if "OF" not in route.find(name).options:
            raise Mistake(f"{route.where}: '{name}' does not say OF(…): whose site would it be?")
    replies = [reply.name for reply in route.replies]
    if len(set(replies)) != len(replies):
        raise Mistake(f"{route.where}: {route.name} replies with a name twice")
    if route.is_checked and not route.has_input():
        raise Mistake(f"{route.where}: {route.name} checks an input that it does not have")
    check_shapes(route)


def read_family(path):
    family = Family(path.parent.name)
    text = COMMENT.sub(lambda m: "\n" * m[0].count("\n"), path.read_text(encoding="utf-8"))
    state = (None, None)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        match = ROW.match(line)
        if match is None:
            raise Mistake(f"{where}: a row is MACRO(…) in one line")
        state = read_row(family, state, match["macro"], match["arguments"], where)
    for route in family.routes:
        add_site(route)
        add_shapes(route)
        check_route(route)
    return family


def read_families(root=ROOT):
    families = [read_family(path) for path in sorted(root.glob(FAMILIES))]
    seen, names = {}, {}
    for route in (route for family in families for route in family.routes):
        for key, known in (((route.method, route.pattern), seen), (route.name, names)):
            if key in known:
                raise Mistake(f"{route.where}: {key} is already at {known[key]}")
            known[key] = route.where
    return families


def main():
    columns = ("method", "pattern", "name", "guard", "body", "tag", "rate", "site", "write", "collection", "family")
    routes = [route for family in read_families() for route in family.routes]
    print(json.dumps([{column: getattr(route, column) for column in columns} for route in routes]))


if __name__ == "__main__":
    main()
