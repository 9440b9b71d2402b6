// Two sites with the same shapes and, where keys may repeat, the same keys: nested writes, deep reads, filters, groups,
// named relations, json() and exports of one show and change nothing of the other, through every kind of relation.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { makeTenant, startApi } from '../../support/api.mjs';

let stack, a, b;
const TABLES = ['essays', 'labels', 'essays_labels', 'tongues', 'essays_translations', 'texts', 'images', 'essays_parts'];

const send = (token, rest = {}) => (method, path, body) => stack.call({ method, path: encodeURI(path), token, body, ...rest });
const admin = (...request) => send(stack.adminToken)(...request);
const ok = (answer, what = '') => {
    assert.ok(answer.status === 200 || answer.status === 204, `${what}: ${answer.status} ${answer.text}`);
    return answer.body?.data;
};
const uuidKey = { field: 'id', type: 'uuid', meta: { special: ['uuid'] }, schema: { is_primary_key: true } };
const make = async (collection, fields, key = uuidKey, meta = {}) => ok(await admin('POST', '/collections', { collection, schema: {}, meta: { tenant: true, ...meta }, fields: [key, ...fields] }), collection);
const text = (field) => ({ field, type: 'string' });
const reference = (field, type = 'uuid') => ({ field, type });
const alias = async (collection, field, special) => ok(await admin('POST', `/fields/${collection}`, { field, type: 'alias', meta: { special: [special] } }), field);
const relate = async (collection, field, related_collection, meta = {}) => ok(await admin('POST', '/relations', { collection, field, related_collection, meta, schema: related_collection ? {} : null }), `${collection}.${field}`);

before(async () => {
    stack = await startApi();
    await make('labels', [text('name')]);
    await make('tongues', [text('name')], { field: 'code', type: 'string', schema: { is_primary_key: true } });
    await make('texts', [text('name')]);
    await make('images', [text('name')]);
    await make('essays', [text('title'), { field: 'body', type: 'json' }, { field: 'place', type: 'integer' }, reference('parent'), { field: 'written', type: 'timestamp' }], uuidKey, { sort_field: 'place', versioning: true });
    await make('essays_labels', [reference('essay'), reference('label'), { field: 'place', type: 'integer' }]);
    await make('essays_translations', [reference('essay'), reference('tongue', 'string'), text('title')]);
    await make('essays_parts', [reference('essay'), text('item'), text('collection'), { field: 'place', type: 'integer' }]);
    for (const [field, special] of [['labels', 'm2m'], ['translations', 'translations'], ['parts', 'm2a'], ['children', 'o2m']]) await alias('essays', field, special);
    await relate('essays', 'parent', 'essays', { one_field: 'children' });
    await relate('essays_labels', 'essay', 'essays', { one_field: 'labels', junction_field: 'label', sort_field: 'place', one_deselect_action: 'delete' });
    await relate('essays_labels', 'label', 'labels', { junction_field: 'essay' });
    await relate('essays_translations', 'essay', 'essays', { one_field: 'translations', junction_field: 'tongue' });
    await relate('essays_translations', 'tongue', 'tongues', { junction_field: 'essay' });
    await relate('essays_parts', 'essay', 'essays', { one_field: 'parts', junction_field: 'item' });
    await relate('essays_parts', 'item', null, { one_collection_field: 'collection', one_allowed_collections: ['texts', 'images'], junction_field: 'essay' });
    a = await makeTenant(stack, 'A', 'a.example');
    b = await makeTenant(stack, 'B', 'b.example');
    await furnish(a);
    await furnish(b, a); // every key of A's rows is one of B's, too …
    await furnish(b, undefined, 'own'); // … and B has others that A has not
});
after(() => stack?.stop());

/* Each word of a site says whose it is. */
async function furnish(x, same = undefined, name = 'same') {
    const key = (what) => same?.same?.[what] ?? randomUUID();
    const word = (what) => `zq${x.name}zq ${what}`;
    const keys = { essay: key('essay'), child: key('child'), label: key('label'), text: key('text'), image: key('image'), link: key('link'), translation: key('translation'), part: key('part'), part2: key('part2'),
        tongue: name === 'own' ? 'own' : 'en' };
    const post = async (collection, body) => ok(await send(x.token)('POST', `/items/${collection}`, body), collection);
    await post('tongues', { code: keys.tongue, name: word('tongue') });
    await post('labels', { id: keys.label, name: word('label') });
    await post('texts', { id: keys.text, name: word('text') });
    await post('images', { id: keys.image, name: word('image') });
    await post('essays', { id: keys.essay, title: word('essay'), body: { a: { b: [word('json'), 7] } }, place: 1, written: '2024-05-06T07:08:09Z' });
    await post('essays', { id: keys.child, title: word('child'), parent: keys.essay, place: 2 });
    await post('essays_labels', { id: keys.link, essay: keys.essay, label: keys.label, place: 1 });
    await post('essays_translations', { id: keys.translation, essay: keys.essay, tongue: keys.tongue, title: word('translation') });
    await post('essays_parts', { id: keys.part, essay: keys.essay, item: keys.text, collection: 'texts', place: 1 });
    await post('essays_parts', { id: keys.part2, essay: keys.essay, item: keys.image, collection: 'images', place: 2 });
    x[name] = keys;
}

/** All rows of a site, as the tables hold them. */
const state = async (x) => (await stack.rows(TABLES.map((t) => `select '${t}', t::text from ${t} t where site_id = '${x.id}'`).join(' union all '))).map(String).sort();
const clean = (answer, what) => {
    assert.ok(answer.status < 500, `${what}: ${answer.text}`);
    const said = `${JSON.stringify(answer.headers)} ${answer.text}`;
    for (const secret of ['zqBzq', b.id, b.token, ...Object.entries(b.own).filter(([k]) => k !== 'tongue').map(([, v]) => v)])
        assert.ok(!said.includes(secret) || decodeURI(what).includes(secret), `${what} shows ${secret}: ${answer.text}`);
};

const READS = () => {
    const { essay } = a.same;
    return [
        `/items/essays?fields=*.*.*.*&limit=-1`,
        `/items/essays/${essay}?fields=*,labels.*,labels.label.*,translations.*,translations.tongue.*,parts.*,parts.item:texts.*,parts.item:images.*,children.*,parent.*`,
        '/items/essays?fields=title,children.labels.label.name,children.parent.parts.item:texts.name',
        '/items/essays?fields=title,labels.label.$FOLLOW(essays_labels,label).essay.title',
        '/items/labels?fields=name,$FOLLOW(essays_labels,label).*,$FOLLOW(essays_labels,label).essay.*',
        '/items/tongues?fields=*,$FOLLOW(essays_translations,tongue).title',
        '/items/essays?filter={"labels":{"_some":{"label":{"name":{"_contains":"zqBzq"}}}}}&fields=title',
        '/items/essays?filter={"labels":{"_none":{"label":{"name":{"_contains":"zqAzq"}}}}}&fields=title,labels.label.name',
        '/items/essays?filter={"translations":{"_some":{"tongue":{"name":{"_starts_with":"zqBzq"}}}}}',
        '/items/essays?filter={"parts":{"_some":{"item:texts":{"name":{"_contains":"zqBzq"}}}}}',
        '/items/labels?filter={"$FOLLOW(essays_labels,label)":{"_some":{"essay":{"title":{"_contains":"zqBzq"}}}}}',
        '/items/labels?filter={"$FOLLOW(essays_labels,label)":{"_none":{"essay":{"title":{"_contains":"zqAzq"}}}}}&fields=name',
        '/items/essays?filter={"_and":[{"children":{"_some":{"title":{"_contains":"zqBzq"}}}},{"site_id":{"_nnull":true}}]}',
        '/items/essays?deep={"labels":{"_filter":{"label":{"name":{"_contains":"zqBzq"}}},"_sort":["-label.name"],"_limit":5}}&fields=title,labels.label.name',
        '/items/essays?deep={"translations":{"_search":"zqBzq"}}&fields=title,translations.title',
        '/items/essays?fields=title,count(labels),count(children),year(written)',
        '/items/essays?fields=title,json(body,a.b[0]),json(body,a)',
        '/items/essays?fields=title,children.json(body,a.b[0]),parent.json(body,a.b)',
        '/items/essays?filter={"json(body,a.b[0])":{"_contains":"zqBzq"}}',
        '/items/essays?sort=json(body,a.b[0])&fields=title',
        '/items/essays?sort=parent.title,labels.label.name,-translations.tongue.name&fields=title',
        '/items/essays?sort=-count(labels)&fields=title',
        '/items/essays?aggregate[count]=*&groupBy[]=parent.title',
        '/items/essays_labels?aggregate[count]=*&aggregate[countDistinct]=label&groupBy[]=label&groupBy[]=essay',
        '/items/essays?aggregate[max]=title&aggregate[min]=title&aggregate[countDistinct]=id',
        '/items/essays?aggregate[count]=*&groupBy[]=year(written)&groupBy[]=site_id',
        '/items/essays_labels?aggregate[countAll]=*&groupBy[]=label.name&groupBy[]=essay.title',
        '/items/essays_labels?aggregate[count]=*&filter={"label":{"name":{"_contains":"zqBzq"}}}',
        '/items/essays?alias[x]=labels&deep[x][_filter][label][name][_contains]=zqBzq&fields=x.*.*',
        '/items/essays?search=zqBzq&fields=*,labels.label.name',
        `/items/essays?search=${b.own.essay}`,
        '/items/essays?meta=*&limit=1',
        '/items/essays?export=csv&fields=*,labels.label.name,translations.title,parent.title',
        '/items/essays?export=json&fields=*.*.*',
        '/items/essays?export=xml&fields=title,children.title',
        '/items/essays?export=yaml&fields=title,parts.item:images.name',
        '/items/essays?version=draft',
        `/items/essays/${b.own.essay}`, `/items/essays/${b.own.essay}?fields=*.*`, `/items/labels/${b.own.label}`, `/items/tongues/own`,
        '/activity?fields=*.*&limit=-1', '/revisions?fields=*.*&limit=-1', '/versions?fields=*.*', '/comments?fields=*.*', '/presets?fields=*.*', '/notifications?fields=*.*',
        '/shares?fields=*.*', '/dashboards?fields=*.*', '/panels?fields=*.*', '/users?fields=*.*&limit=-1', '/folders?fields=*.*', '/files?fields=*.*', '/translations?fields=*',
        '/collections', '/fields', '/relations', '/permissions/me', '/roles/me', '/policies/me/globals',
    ];
};

test('no_read_through_a_relation_shows_a_row_of_another_site', async () => {
    const call = send(a.token);
    const statuses = {};
    for (const path of READS()) {
        const answer = await call('GET', path);
        clean(answer, path);
        statuses[path] = answer.status;
    }
    // They are queries that answer: a refusal would prove nothing.
    const mayRefuse = (path) => [b.own.essay, b.own.label, 'tongues/own', 'version='].some((part) => path.includes(part)) || /fields=[^&]*\$FOLLOW|(sort|filter)=[^&]*json\(|groupBy\[\]=\w+\./.test(path);
    const refused = Object.entries(statuses).filter(([path, status]) => path.startsWith('/items') && status !== 200 && !mayRefuse(path));
    assert.deepEqual(refused, []);
    const whole = ok(await call('GET', READS()[1]));
    assert.equal(whole.labels[0].label.name, 'zqAzq label');
    assert.equal(whole.translations[0].tongue.name, 'zqAzq tongue');
    assert.deepEqual(whole.parts.map((part) => part.item.name).sort(), ['zqAzq image', 'zqAzq text']);
    assert.deepEqual([whole.labels.length, whole.translations.length, whole.children.length], [1, 1, 1]);
});

test('a_search_body_and_a_host_show_no_more', async () => {
    const query = { fields: ['*.*.*'], limit: -1, deep: { labels: { _filter: { label: { name: { _contains: 'zqBzq' } } } } } };
    for (const rest of [{ token: a.token }, { token: stack.adminToken, headers: { 'x-site-id': a.id } }])
        for (const body of [{ query }, { keys: [a.same.essay, b.own.essay], query: { fields: ['*.*'] } }, { query: { aggregate: { count: '*' }, groupBy: ['parent.title'] } },
            { query: { filter: { labels: { _some: { label: { name: { _contains: 'zqBzq' } } } } } } }, { query: { fields: ['json(body,a.b)'], sort: ['json(body,a.b[0])'] } }])
            clean(await stack.call({ method: 'SEARCH', path: '/items/essays', body, ...rest }), JSON.stringify(body));
});

/* Writes of A that name B's rows: `k` are keys that only B has, or that nobody has. */
const WRITES = (k) => {
    const own = a.same;
    const changes = (body) => ['PATCH', `/items/essays/${own.essay}`, body];
    const detail = (create, update, del) => ({ create, update, delete: del });
    return [
        changes({ labels: [k.link] }), changes({ labels: [{ id: k.link, place: 9 }] }), changes({ labels: detail([], [{ id: k.link, place: 9 }], []) }),
        changes({ labels: detail([], [], [k.link]) }), changes({ labels: detail([{ label: k.label }], [], []) }), changes({ labels: detail([{ label: { id: k.label, name: 'x' } }], [], []) }),
        changes({ labels: [{ label: { id: k.label, name: 'x' } }] }), changes({ labels: detail([], [{ id: own.link, label: { id: k.label, name: 'x' } }], []) }),
        changes({ labels: detail([], [{ id: own.link, label: k.label }], []) }), changes({ labels: detail([], [{ id: own.link, essay: k.essay }], []) }),
        changes({ translations: [{ id: k.translation, title: 'x' }] }), changes({ translations: detail([], [{ id: k.translation, title: 'x' }], []) }),
        changes({ translations: detail([{ tongue: k.tongue, title: 'x' }], [], []) }), changes({ translations: detail([{ tongue: { code: k.tongue, name: 'x' }, title: 'x' }], [], []) }),
        changes({ translations: detail([], [], [k.translation]) }),
        changes({ parts: [k.part] }), changes({ parts: detail([{ collection: 'texts', item: k.text }], [], []) }), changes({ parts: detail([{ collection: 'texts', item: { id: k.text, name: 'x' } }], [], []) }),
        changes({ parts: detail([], [{ id: k.part, item: { id: k.text, name: 'x' } }], []) }), changes({ parts: detail([], [{ id: own.part, collection: 'texts', item: { id: k.text, name: 'x' } }], []) }),
        changes({ parts: detail([], [{ id: own.part, collection: 'images', item: k.image }], []) }), changes({ parts: detail([], [], [k.part]) }),
        changes({ children: [k.child] }), changes({ children: [{ id: k.child, title: 'x' }] }), changes({ children: detail([], [{ id: k.child, title: 'x' }], []) }), changes({ children: detail([], [], [k.child]) }),
        changes({ parent: k.essay }), changes({ parent: { id: k.essay, title: 'x' } }), changes({ parent: { id: own.child, children: [k.child] } }),
        ['POST', '/items/essays', { title: 'x', parent: { id: k.essay, title: 'x' } }], ['POST', '/items/essays', { title: 'x', labels: [{ label: k.label }] }],
        ['POST', '/items/essays', { title: 'x', children: [{ id: k.child, title: 'x' }] }], ['POST', '/items/essays', [{ title: 'x', parts: [{ collection: 'texts', item: { id: k.text, name: 'x' } }] }]],
        ['PATCH', '/items/essays', { keys: [own.essay, k.essay], data: { title: 'x' } }], ['PATCH', '/items/essays', [{ id: k.essay, title: 'x', labels: [] }]],
        ['PATCH', '/items/essays', { query: { filter: { labels: { _some: { label: { id: { _eq: k.label } } } } } }, data: { title: 'x' } }],
        ['DELETE', '/items/essays_labels', { query: { filter: { label: { id: { _eq: k.label } } } } }],
        ['PATCH', `/items/essays_labels/${k.link}`, { place: 7 }], ['DELETE', `/items/essays_parts/${k.part}`], ['DELETE', '/items/labels', [k.label]],
        ['POST', '/utils/sort/essays', { item: own.essay, to: k.essay }], ['POST', '/utils/sort/essays', { item: k.essay, to: own.essay }],
        ['POST', '/comments', { collection: 'essays', item: k.essay, comment: 'x' }], ['POST', '/shares', { collection: 'essays', item: k.essay }], ['POST', '/versions', { collection: 'essays', item: k.essay, key: 'x' }],
    ];
};

test('no_nested_write_changes_or_tells_of_a_row_of_another_site', async () => {
    const missing = { ...Object.fromEntries(Object.keys(b.own).map((name) => [name, randomUUID()])), tongue: 'xxx' };
    const before = await state(b);
    const mask = (answer, keys) => Object.values(keys).reduce((said, key) => said.replaceAll(key, '#'), `${answer.status} ${answer.text}`)
        .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '@');
    const theirs = WRITES(b.own);
    const nobodys = WRITES(missing);
    // Each starts from the same rows of A.
    const rows = await stack.rows(TABLES.map((t) => `select '${t}', row_to_json(t)::text from ${t} t where site_id = '${a.id}'`).join(' union all '));
    const reset = () => stack.run(`begin; set constraints all deferred; ${[...TABLES].reverse().map((t) => `delete from ${t} where site_id = '${a.id}';`).join(' ')}
        ${TABLES.flatMap((t) => { const list = rows.filter(([name]) => name === t).map(([, row]) => row); return t === 'essays' ? list.sort((x) => (JSON.parse(x).parent ? 1 : -1)) : list; })
            .map((row) => `insert into ${rows.find(([, text]) => text === row)[0]} select * from json_populate_record(null::${rows.find(([, text]) => text === row)[0]}, '${row.replaceAll("'", "''")}');`).join('\n')} commit`);
    for (let i = 0; i < theirs.length; i++) {
        const what = JSON.stringify(theirs[i]);
        const answer = await send(a.token)(...theirs[i]);
        clean(answer, what);
        assert.deepEqual(await state(b), before, what);
        await reset();
        const other = await send(a.token)(...nobodys[i]);
        await reset();
        assert.equal(mask(answer, b.own), mask(other, missing), what);
    }
});

test('the_same_keys_are_each_sites_own_in_nested_writes', async () => {
    const { essay, child, label, link, text: words, part, translation } = b.same;
    assert.deepEqual(b.same, a.same);
    const before = await state(b);
    ok(await send(a.token)('PATCH', `/items/essays/${essay}`, {
        title: 'zqAzq new', labels: { create: [], update: [{ id: link, place: 4, label: { id: label, name: 'zqAzq new label' } }], delete: [] }, translations: [{ id: translation, title: 'zqAzq new' }],
        parts: { create: [], update: [{ id: part, collection: 'texts', item: { id: words, name: 'zqAzq new text' } }], delete: [] }, children: [{ id: child, title: 'zqAzq new child' }],
    }));
    assert.deepEqual(await state(b), before);
    assert.equal((await stack.rows(`select name from texts where id = '${words}' and site_id = '${a.id}'`))[0][0], 'zqAzq new text');
    ok(await send(a.token)('PATCH', `/items/essays/${essay}`, { labels: [], translations: [], parts: { create: [], update: [], delete: [part, b.same.part2] }, children: [] }));
    assert.deepEqual(await state(b), before);
    assert.deepEqual(await stack.rows(`select count(*) from essays_labels where site_id = '${a.id}'`), [['0']]);
    ok(await send(a.token)('DELETE', `/items/essays/${essay}`));
    assert.deepEqual(await state(b), before);
    // On the platform a key of two sites is refused, nested ones too.
    for (const body of [{ children: [{ id: b.own.child, labels: [{ id: randomUUID(), label: { id: label, name: 'both' } }] }] }, { labels: { create: [{ label: { id: label, name: 'both' } }], update: [], delete: [] } }]) {
        const answer = await admin('PATCH', `/items/essays/${b.own.essay}`, body);
        assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
    }
    assert.deepEqual(await state(b), before);
    assert.deepEqual(await stack.rows("select count(*) from labels where name = 'both'"), [['0']]);
});

test('the_platform_does_not_deselect_what_another_site_left_below_the_same_key', async () => {
    await make('reviews', [reference('essay'), text('name')]);
    await alias('essays', 'reviews', 'o2m');
    ok(await admin('POST', '/relations', { collection: 'reviews', field: 'essay', related_collection: 'essays', meta: { one_field: 'reviews' } }), 'reviews');
    for (const [name] of await stack.rows("select conname from pg_constraint where conrelid = 'reviews'::regclass and contype = 'f' and confrelid = 'essays'::regclass")) await stack.run(`set role spark_owner; alter table reviews drop constraint "${name}"`);
    await stack.run('select spark.raise_epoch()'); // as an opened database may have it
    const id = randomUUID();
    const review = {};
    for (const tenant of [a, b]) {
        ok(await send(tenant.token)('POST', '/items/essays', { id, title: 'of a key' }));
        review[tenant.name] = ok(await send(tenant.token)('POST', '/items/reviews', { essay: id, name: `review of ${tenant.name}` })).id;
    }
    ok(await send(b.token)('DELETE', `/items/essays/${id}`)); // no foreign key: its review stays as it is
    const held = async () => Object.fromEntries(await stack.rows(`select name, coalesce(essay::text, '-') from reviews`));
    assert.deepEqual(await held(), { 'review of A': id, 'review of B': id });
    ok(await admin('PATCH', `/items/essays/${id}`, { reviews: [review.A] }));
    assert.deepEqual(await held(), { 'review of A': id, 'review of B': id });
    ok(await admin('PATCH', `/items/essays/${id}`, { reviews: [] }));
    assert.deepEqual(await held(), { 'review of A': '-', 'review of B': id });
    assert.deepEqual(ok(await admin('GET', `/items/essays/${id}?fields=reviews.name`)), { reviews: [] });
});
