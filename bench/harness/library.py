"""Articles made from the demo library: seeded, of 900 words, some of them near copies of others.

A fragment is chosen for each slot of the template, its spintax spun, its variables filled in. An
article whose number is COPY_EVERY * n + 1 repeats the choices of the one before it, but for some of
the slots: from a copy in all but the city down to a text that shares half of its sentences.
"""

import json
import os
import random
import re
import subprocess

from . import data, pg
from .errors import BenchError

COPY_EVERY = 50
CHANGED_MOST = 10
SPUN = 6
CITY = "\x01"
CITIES = ["%s%s%s" % (a, b, c) for a in ("Al", "Bel", "Cor", "Dun", "El", "Fer", "Gar", "Hol")
          for b in ("ba", "den", "mi", "ro", "sta", "ver") for c in ("ford", "ham", "ton", "wick")]
COLUMNS = "id, site_id, title, slug, content, location_city, word_count"
INNERMOST = re.compile(r"\{([^{}]*)\}")
CAPITALS = re.compile(r"\[\[CAP:(.*?)\]\]")


def article_id(site, number):
    return f"019a{site:04x}-0000-7000-8000-{number:012x}"


def is_copy(number):
    return number % COPY_EVERY == 1


def spin(chance, text, variables):
    """Choices and variables, the innermost first."""
    def fill(match):
        inner = match.group(1)
        if "|" in inner:
            return chance.choice(inner.split("|"))
        return variables.get(inner, inner)
    before = None
    while before != text:
        before, text = text, INNERMOST.sub(fill, text)
    text = CAPITALS.sub(lambda match: match.group(1)[:1].upper() + match.group(1)[1:], text)
    return " ".join(text.split())


class Library:
    """The slots of a template, each with every fragment that fits, spun SPUN times."""

    def __init__(self, blueprint):
        with open(blueprint, encoding="utf-8") as file:
            source = json.load(file)
        chance = random.Random(3)
        variables = dict(source["campaign"]["niche_variables"], City=CITY)
        spun = {}
        for fragment in source["fragments"]:
            spun.setdefault(fragment["fragment_type"], []).append(
                [spin(chance, fragment["content_body"], variables) for _ in range(SPUN)])
        self.slots = [spun[kind] for kind in source["template"]["structure_json"]]

    def choices(self, number):
        """The fragment of each slot; those of a copy are its neighbour's but for a few."""
        if not is_copy(number):
            chance = random.Random(number)
            return [int(chance.random() * len(slot)) for slot in self.slots]
        found = self.choices(number - 1)
        chance = random.Random(number)
        for slot in chance.sample(range(len(found)), number // COPY_EVERY % (CHANGED_MOST + 1)):
            found[slot] = int(chance.random() * len(self.slots[slot]))
        return found

    def article(self, number):
        """(HTML, city)"""
        chance = random.Random(-1 - number)
        city = CITIES[number % len(CITIES)]
        parts = [slot[choice][int(chance.random() * SPUN)]
                 for slot, choice in zip(self.slots, self.choices(number))]
        return " ".join(parts).replace(CITY, city), city


def store(postgres, library, site, first, last):
    """COPYs the articles [first, last) of a site, as nobody but the administrator may."""
    command = [pg.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", postgres.url,
               "-c", f"copy generated_articles ({COLUMNS}) from stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          encoding="utf-8") as psql:
        try:
            for number in range(first, last):
                html, city = library.article(number)
                psql.stdin.write(f"{article_id(site, number)}\t{data.site_id(site)}\tArticle {number}\t"
                                 f"article-{number}\t{html}\t{city}\t900\n")
            psql.stdin.close()
        except BrokenPipeError:
            pass
        story = psql.stderr.read()
    if psql.returncode != 0:
        raise BenchError(f"the articles were not stored: {story.strip()[-200:]}")


def write(library, numbers, path):
    """Lines for exact_pairs: number, city, HTML."""
    with open(path, "w", encoding="utf-8") as file:
        for number in numbers:
            html, city = library.article(number)
            file.write(f"{number}\t{city}\t{html}\n")


def targets(library, count, anchors):
    """[address, anchor, [further anchors], priority] of link targets: runs of one to three words of
    the articles' own, in an order of their own, so that some are found everywhere and most nowhere."""
    words = sorted({word.lower() for number in range(200)
                    for word in re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]*>", " ", library.article(number)[0]))})
    chance = random.Random(11)
    found = []
    for target in range(count):
        texts = [" ".join(chance.choice(words) for _ in range(length + 1)) for length in range(anchors)]
        if target % 20:
            texts[0] += " " + chance.choice(words)
        found.append([f"/target-{target}", texts[0], texts[1:], chance.randrange(10)])
    return found


def make_site(postgres, site):
    postgres.sql("insert into sites (id, name, url, domain, status) values"
                 " (:'id', 'factory bench', 'http://' || :'domain', :'domain', 'active')"
                 " on conflict do nothing", id=data.site_id(site), domain=data.domain(site))


def demo(root):
    path = os.path.join(root, "demo", "blueprint.json")
    if not os.path.exists(path):
        raise BenchError(f"the library {path} is missing")
    return Library(path)
