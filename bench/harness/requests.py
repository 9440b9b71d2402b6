"""The requests of the content workloads, and what a right answer to each looks like."""

import json
import random
import urllib.parse

from . import data
from .load import Request

LIST_FIELDS = ["id", "title", "slug", "status", "published_at"]
RELATION_FIELDS = ["id", "title", "slug", "published_at", "author.name"]
LIST_REQUESTS = 20_000
SEQUENCE = "@SEQUENCE@"
NESTED_TAGS = 5


def get_requests(tokens):
    """Every post once, in random order, with the token of its site."""
    numbers = list(range(1, data.POSTS + 1))
    random.Random(1).shuffle(numbers)
    return [Request("GET", f"/items/posts/{data.post_id(n)}", tokens[data.site_of(n)])
            for n in numbers]


def get_check(request, answer):
    post = json.loads(answer)["data"]
    assert post["id"] == request.path.rpartition("/")[2], "another post than the one asked for"
    assert len(post["content"]) > 2000 and post["slug"] and post["author"], "fields are missing"


def list_requests(tokens, fields, sdk=False):
    """Pages of 25 published posts, newest first, from a random moment on: all posts get their turn.

    sdk: the filter as JSON, as @directus/sdk sends it; otherwise in brackets, as a person types it.
    """
    chance = random.Random(2)
    found = []
    for _ in range(LIST_REQUESTS):
        number = chance.randint(data.first_full_list(), data.POSTS)
        token = tokens[chance.randint(1, data.SITES)]
        moment = data.published_at(number)
        found.append(Request("GET", "/items/posts?" + list_query(fields, moment, sdk), token))
    return found


def list_query(fields, moment, sdk):
    if sdk:
        wanted = {"_and": [{"status": {"_eq": "published"}}, {"published_at": {"_lt": moment}}]}
        filters = "filter=" + urllib.parse.quote(json.dumps(wanted, separators=(",", ":")))
    else:
        filters = f"filter[status][_eq]=published&filter[published_at][_lt]={moment}"
    return f"fields={','.join(fields)}&{filters}&sort=-published_at&limit={data.LIST_ROWS}"


def list_check(request, answer):
    rows = json.loads(answer)["data"]
    dates = [row["published_at"] for row in rows]
    assert len(rows) == data.LIST_ROWS, f"{len(rows)} rows, not {data.LIST_ROWS}"
    assert dates == sorted(dates, reverse=True), "not sorted"
    sites = {data.site_of(int(row["id"][-12:], 16)) for row in rows}
    assert len(sites) == 1, f"posts of sites {sorted(sites)} in one answer"
    assert "status" not in rows[0] or {row["status"] for row in rows} == {"published"}, "filter"


def relation_check(request, answer):
    list_check(request, answer)
    for row in json.loads(answer)["data"]:
        site = data.site_of(int(row["id"][-12:], 16))
        assert row["author"]["name"].endswith(f"of site {site:02d}"), "author of another site"


NESTED_FIELDS = "id,title,notes.id,notes.body,marks.id,marks.name"


def nested_requests(tokens):
    """25 topics before a random moment, each with its ten notes and ten marks."""
    chance = random.Random(3)
    first = data.SITES * (data.LIST_ROWS + 1)
    found = []
    for _ in range(LIST_REQUESTS):
        moment = data.published_at(chance.randint(first, data.TOPICS))
        query = (f"fields={NESTED_FIELDS}&filter[published_at][_lt]={moment}"
                 f"&sort=-published_at&limit={data.LIST_ROWS}")
        found.append(Request("GET", "/items/topics?" + query,
                             tokens[chance.randint(1, data.SITES)]))
    return found


def nested_check(request, answer):
    rows = json.loads(answer)["data"]
    assert len(rows) == data.LIST_ROWS, f"{len(rows)} rows, not {data.LIST_ROWS}"
    for row in rows:
        assert len(row["notes"]) == len(row["marks"]) == data.NESTED_ROWS, "nested rows"
        assert {note["body"][-8:] for note in row["notes"]} == {row["title"][-8:]}, "other's notes"


def count_requests(_tokens):
    """The number of posts by status, of all sites, for a user of the platform."""
    return [Request("GET", "/items/posts?aggregate[count]=*&groupBy=status", data.COUNTER_TOKEN)]


def count_check(request, answer):
    counts = {row["status"]: int(row["count"]) for row in json.loads(answer)["data"]}
    assert sum(counts.values()) >= data.POSTS and set(counts) == {"draft", "published"}, counts


def post_body(content):
    """The row that is inserted: a draft, so that the lists stay as they are."""
    return json.dumps({"title": content[:60], "slug": f"made-{SEQUENCE}", "status": "draft",
                       "content": content}, separators=(",", ":"))


def post_requests(tokens, content):
    return [Request("POST", "/items/posts", tokens[site], post_body(content))
            for site in range(1, data.SITES + 1)]


def post_check(request, answer):
    post = json.loads(answer)["data"]
    assert post["id"] and post["slug"].startswith("made-"), "not the item that was sent"
    assert len(post["content"]) > 2000, "content is missing"


def nested_post_requests(tokens, content):
    """A story with an author and five tags of its own: twelve rows, seven of them reached through relations."""
    tags = [{"tag": {"name": f"tag {n} of {SEQUENCE}"}} for n in range(NESTED_TAGS)]
    body = json.dumps(dict(json.loads(post_body(content)), author={"name": f"author {SEQUENCE}"}, tags=tags),
                      separators=(",", ":"))
    return [Request("POST", "/items/stories", tokens[site], body) for site in range(1, data.SITES + 1)]


def nested_post_check(request, answer):
    post_check(request, answer)
    story = json.loads(answer)["data"]
    assert story["author"] and len(story["tags"]) == NESTED_TAGS, "nested rows are missing"


def ping_requests(_tokens):
    return [Request("GET", "/server/ping")]


def ping_check(request, answer):
    assert answer == b"pong", f"{answer[:40]!r} is not pong"


def pageview_requests():
    """What the tracker in a visitor's browser sends, on the host of each site; no token."""
    found = []
    for site in range(1, data.SITES + 1):
        body = json.dumps({"site_id": data.site_id(site), "page_path": f"/blog/{SEQUENCE}",
                           "page_title": "bench", "session_id": "s_bench",
                           "visitor_id": "v_bench", "referrer": ""}, separators=(",", ":"))
        found.append(Request("POST", "/api/track/pageview", "", body, data.domain(site)))
    return found


def pageview_check(request, answer):
    assert json.loads(answer)["success"] is True, "not accepted"
