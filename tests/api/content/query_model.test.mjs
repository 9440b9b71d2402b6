// Random queries against a slow model: filters through relations with _some and _none, _and and _or, sort, limit, page, fields.
// The model knows the rows and nothing of SQL. A failure prints its seed; QUERY_SEED=… brings it back.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { generator } from '../../support/random.mjs';

const QUERIES = 400;

/** { field: kind }; a relation is [kind, collection, column of the many side] */
const MODEL = {
    articles: {
        id: 'number', title: 'text', status: 'text', body: 'text', words: 'number', sort: 'number',
        author: ['one', 'authors'], parent: ['one', 'articles'], children: ['many', 'articles', 'parent'],
        tags: ['many', 'articles_tags', 'articles_id'], translations: ['many', 'articles_translations', 'articles_id'],
    },
    authors: { id: 'number', name: 'text', age: 'number', mentor: ['one', 'authors'], mentees: ['many', 'authors', 'mentor'], articles: ['many', 'articles', 'author'] },
    articles_tags: { id: 'number', note: 'text', tags_id: ['one', 'tags'], articles_id: ['one', 'articles'] },
    articles_translations: { id: 'number', title: 'text', body: 'text', articles_id: ['one', 'articles'] },
    tags: { id: 'number', name: 'text', grp: 'text', sort: 'number', articles: ['many', 'articles_tags', 'tags_id'] },
};

let stack;
const tables = {};
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(await readFile(new URL('../../fixtures/queries/schema.sql', import.meta.url), 'utf8'));
    for (const [name, fields] of Object.entries(MODEL)) {
        const columns = Object.keys(fields).filter((f) => fields[f][0] !== 'many');
        const rows = await stack.rows(`select coalesce(jsonb_agg(t), '[]') from (select ${columns.map((c) => `"${c}"`)} from ${name} order by id) t`);
        tables[name] = JSON.parse(rows[0][0]);
    }
});
after(() => stack.stop());

const below = (collection, field, row) => {
    const [kind, target, column] = MODEL[collection][field];
    if (kind === 'one') return tables[target].find((r) => row && r.id === row[field]) ?? null;
    return row ? tables[target].filter((r) => r[column] === row.id) : [];
};

const OPERATORS = {
    number: ['_eq', '_neq', '_lt', '_lte', '_gt', '_gte', '_in', '_nin', '_between', '_nbetween', '_null', '_nnull'],
    text: ['_eq', '_neq', '_in', '_nin', '_null', '_nnull', '_empty', '_nempty', '_contains', '_ncontains', '_icontains', '_starts_with', '_nstarts_with', '_ends_with', '_istarts_with'],
};

function holds(op, value, operand) {
    if (op === '_null' || op === '_nnull') return (value === null) === ((op === '_null') === operand);
    if (op === '_empty' || op === '_nempty') return (value === null || value === '') === ((op === '_empty') === operand);
    if (value === null) return false;
    const [low, folded] = [String(value), String(value).toLowerCase()];
    switch (op) {
        case '_eq': return value === operand;
        case '_neq': return value !== operand;
        case '_lt': return value < operand;
        case '_lte': return value <= operand;
        case '_gt': return value > operand;
        case '_gte': return value >= operand;
        case '_in': return operand.includes(value);
        case '_nin': return !operand.includes(value);
        case '_between': return value >= operand[0] && value <= operand[1];
        case '_nbetween': return value < operand[0] || value > operand[1];
        case '_contains': return low.includes(operand);
        case '_ncontains': return !low.includes(operand);
        case '_icontains': return folded.includes(operand.toLowerCase());
        case '_starts_with': return low.startsWith(operand);
        case '_nstarts_with': return !low.startsWith(operand);
        case '_istarts_with': return folded.startsWith(operand.toLowerCase());
        case '_ends_with': return low.endsWith(operand);
        default: throw new Error(op);
    }
}

/** A whole conjunction: conditions on one to-many relation are met by the same row, or by none if they hold for nulls. */
function matches(collection, row, filter) {
    const many = new Map();
    if (!all(collection, row, filter, many, '')) return false;
    return meet(many);
}
function meet(many) {
    for (const { collection, field, row, filters } of many.values()) {
        const target = MODEL[collection][field][1];
        const rows = below(collection, field, row);
        const candidates = rows.length > 0 ? rows : [null];
        // Conditions for one row are a conjunction of their own.
        const together = (child) => {
            const inner = new Map();
            return filters.every((f) => all(target, child, f, inner, '')) && meet(inner);
        };
        if (!candidates.some(together)) return false;
    }
    return true;
}
function all(collection, row, filter, many, path) {
    return Object.entries(filter).every(([key, value]) => {
        if (key === '_and') return value.every((f) => all(collection, row, f, many, path));
        if (key === '_or') return value.some((f) => {
            const own = new Map();
            return all(collection, row, f, own, path) && meet(own);
        });
        const kind = MODEL[collection][key];
        if (kind[0] === 'one') {
            const [op] = Object.keys(value);
            if (op.startsWith('_') && op !== '_and' && op !== '_or') return holds(op, row?.[key] ?? null, value[op]);
            return all(kind[1], below(collection, key, row), value, many, `${path}.${key}`);
        }
        if (kind[0] === 'many') {
            const quantified = value._some ?? value._none;
            if (quantified) return below(collection, key, row).some((r) => matches(kind[1], r, quantified)) === '_some' in value;
            const name = `${path}.${key}`;
            const entry = many.get(name) ?? { collection, field: key, row, filters: [] };
            entry.filters.push(value);
            many.set(name, entry);
            return true;
        }
        const [op] = Object.keys(value);
        return holds(op, row?.[key] ?? null, value[op]);
    });
}

class Maker {
    constructor(seed) {
        this.random = generator(seed);
    }
    /** A number from 0 to 1. */
    chance() {
        return this.random.below(1_000_000) / 1_000_000;
    }
    pick(list) {
        return this.random.pick(list);
    }
    sample(collection, field) {
        const value = this.pick(tables[collection])[field];
        return value ?? (MODEL[collection][field] === 'number' ? 7 : 'x');
    }
    condition(collection, field, kind) {
        const op = this.pick(OPERATORS[kind]);
        if (/_n?null|_n?empty/.test(op)) return { [op]: this.chance() < 0.8 };
        if (/_n?in$/.test(op)) return { [op]: [this.sample(collection, field), this.sample(collection, field)].map((v) => (v === '' ? 'x' : v)) };
        if (/between/.test(op)) return { [op]: [this.sample(collection, field), this.sample(collection, field)].sort((a, b) => a - b) };
        let value = this.sample(collection, field);
        if (/with|contains/.test(op)) value = value.slice(Math.floor(this.chance() * 3), 3 + Math.floor(this.chance() * 4)).replace(/[%_\\]/g, '');
        return { [op]: value === '' ? 'Art' : value };
    }
    filter(collection, depth) {
        const roll = this.chance();
        if (depth > 0 && roll < 0.2) return { _or: [this.filter(collection, depth - 1), this.filter(collection, depth - 1)] };
        if (depth > 0 && roll < 0.4) return { _and: [this.filter(collection, depth - 1), this.filter(collection, depth - 1)] };
        const field = this.pick(Object.keys(MODEL[collection]));
        const kind = MODEL[collection][field];
        if (typeof kind === 'string') return { [field]: this.condition(collection, field, kind) };
        if (kind[0] === 'one' && (depth === 0 || this.chance() < 0.2)) return { [field]: this.pick([{ _null: true }, { _nnull: true }, { _eq: 1 + Math.floor(this.chance() * 6) }]) };
        const inner = this.filter(kind[1], Math.max(0, depth - 1));
        if (kind[0] === 'one') return { [field]: inner };
        // Groups directly below _some mean something else in Directus; a member keeps them out.
        const isGroup = '_or' in inner || '_and' in inner;
        const roll2 = this.chance();
        return { [field]: isGroup || roll2 < 0.4 ? inner : roll2 < 0.7 ? { _some: inner } : { _none: inner } };
    }
    query() {
        const fields = ['id', ...['title', 'words', 'author', 'author.name', 'author.mentor.name', 'parent.title', 'children.title', 'tags.tags_id.name', 'tags.note', 'translations.title', 'author.mentees.name', 'children.tags.note'].filter(() => this.chance() < 0.3)];
        const sort = [...['words', '-words', 'author.age', '-author.age', 'parent.words', 'sort'].filter(() => this.chance() < 0.2).slice(0, 2), this.pick(['id', '-id'])];
        return {
            fields, sort,
            filter: this.filter('articles', 3),
            limit: this.pick([-1, 0, 1, 3, 10, undefined]),
            ...this.pick([{}, { offset: 2 }, { page: 2 }]),
        };
    }
}

function sorted(rows, sort) {
    const value = (row, path) => path.split('.').reduce(([collection, r], name) => {
        const kind = MODEL[collection][name];
        return kind[0] === 'one' ? [kind[1], below(collection, name, r)] : [collection, r?.[name] ?? null];
    }, ['articles', row])[1];
    const compare = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1);
    return [...rows].sort((a, b) => {
        for (const path of sort) {
            const down = path.startsWith('-');
            const order = compare(value(a, path.slice(down)), value(b, path.slice(down)));
            if (order !== 0) return down ? -order : order;
        }
        return 0;
    });
}

function project(collection, row, paths) {
    const out = {};
    const heads = new Map();
    for (const path of paths) {
        const [head, ...rest] = path.split('.');
        heads.set(head, [...(heads.get(head) ?? []), ...(rest.length > 0 ? [rest.join('.')] : [])]);
    }
    for (const [head, rest] of heads) {
        const kind = MODEL[collection][head];
        if (typeof kind === 'string' || rest.length === 0) out[head] = row[head];
        else if (kind[0] === 'one') {
            const target = below(collection, head, row);
            out[head] = target && project(kind[1], target, rest);
        } else out[head] = below(collection, head, row).map((r) => project(kind[1], r, rest));
    }
    return out;
}

/** Rows of a relation have no promised order here: their sort values repeat. */
const unordered = (value, isRoot = true) => {
    if (Array.isArray(value)) {
        const list = value.map((v) => unordered(v, false));
        return isRoot ? list : list.map((v) => JSON.stringify(v)).sort();
    }
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unordered(v, false)]).sort(([a], [b]) => (a < b ? -1 : 1)));
    return value;
};

function expected({ fields, sort, filter, limit, offset, page }) {
    const rows = sorted(tables.articles.filter((row) => matches('articles', row, filter)), sort);
    const count = limit === undefined ? 100 : limit < 0 ? Infinity : limit;
    const start = page ? (limit === -1 ? 0 : count * (page - 1)) : offset ?? 0;
    return rows.slice(start, start + count).map((row) => project('articles', row, fields));
}

/* A body is nested sixteen levels deep at most. */
const levels = (value) => (value !== null && typeof value === 'object' ? 1 + Math.max(0, ...Object.values(value).map(levels)) : 0);

test('random queries answer what a slow model answers', async (t) => {
    const first = Number(process.env.QUERY_SEED ?? Date.now() % 1_000_000_000);
    t.diagnostic(`seeds ${first} to ${first + QUERIES - 1}`);
    let found = 0;
    for (let seed = first; seed < first + QUERIES; seed++) {
        const query = new Maker(seed).query();
        if (levels({ query }) > 16) continue;
        const answer = await stack.call({ method: 'SEARCH', path: '/items/articles', token: stack.adminToken, body: { query } });
        const what = `QUERY_SEED=${seed} ${JSON.stringify(query)}`;
        assert.equal(answer.status, 200, `${what}\n${answer.text}`);
        const want = expected(query);
        assert.deepEqual(unordered(answer.body.data), unordered(want), what);
        found += want.length > 0;
    }
    assert.ok(found > QUERIES / 10, 'most filters find nothing: the test tests nothing');
});

test('count, meta and list agree on random filters', async () => {
    const first = Number(process.env.QUERY_SEED ?? Date.now() % 1_000_000_000);
    for (let seed = first; seed < first + QUERIES / 4; seed++) {
        const filter = new Maker(seed).filter('articles', 3);
        const ask = async (query) => (await stack.call({ method: 'SEARCH', path: '/items/articles', token: stack.adminToken, body: { query } })).body;
        const [list, counted] = await Promise.all([ask({ filter, fields: ['id'], limit: -1, meta: '*' }), ask({ filter, aggregate: { count: '*', countDistinct: 'id' } })]);
        const what = `QUERY_SEED=${seed} ${JSON.stringify(filter)}`;
        assert.equal(list.meta.filter_count, list.data.length, what);
        assert.equal(list.meta.total_count, tables.articles.length, what);
        assert.deepEqual(counted.data, [{ count: String(list.data.length), countDistinct: { id: String(list.data.length) } }], what);
    }
});
