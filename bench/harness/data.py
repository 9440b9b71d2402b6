"""The data set, seen from outside: which ids, sites and dates exist (see sql/seed.sql)."""

import datetime
import os

SITES = 20
POSTS = 100_000
LIST_ROWS = 25
TOPICS = 5_000
NESTED_ROWS = 10
COUNTER_TOKEN = "token-of-the-counter-of-the-bench"
TABLES = ("sites", "authors", "posts", "topics", "topic_notes", "topic_marks", "stories", "tags",
          "stories_tags")
FORM_MESSAGE = ("I would like to have my bike ready before the weekend: the brakes squeal, the chain jumps"
                " and the light is dark. When can I bring it, and what will it be about?")
HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.dirname(HERE)
FIRST_DATE = datetime.datetime(2023, 1, 1)


def site_id(number):
    return f"01960000-0000-7000-8000-{number:012x}"


def post_id(number):
    return f"01970000-0000-7000-8000-{number:012x}"


def site_of(post):
    return 1 + post % SITES


def domain(site):
    return f"site-{site:02d}.bench.test"


def published_at(post):
    moment = FIRST_DATE + datetime.timedelta(minutes=10 * post)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def first_full_list():
    """The lowest post that has 25 published ones of its site before it, drafts allowed for."""
    return SITES * (LIST_ROWS * 2)


def read(*path):
    with open(os.path.join(BENCH, *path), encoding="utf-8") as file:
        return file.read()


def seed(postgres):
    postgres.sql(read("sql", "seed.sql"), sites=SITES, posts=POSTS, topics=TOPICS,
                 counter_token=COUNTER_TOKEN)
    rows = postgres.count("select count(*) from posts where length(content) > 2000")
    if rows != POSTS:
        raise RuntimeError(f"seeding made {rows} posts, not {POSTS}")
