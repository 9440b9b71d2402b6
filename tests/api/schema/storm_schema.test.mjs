// Administrators change the schema at once, one by one and by snapshots: each change is made once or refused with its reason,
// what is read of the schema is of one moment, and in the end it is what was acknowledged.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makeCollections, saidBy, schemaIsTheDatabases, startStorm } from '../../support/storm.mjs';

const ROUNDS = 2;

let world;
before(async () => {
    world = await startStorm();
    await makeCollections(world);
    for (const site of world.sites) await world.ok('POST', '/items/st_posts', { title: site.name }, { headers: { 'x-site-id': site.id } });
});
after(() => world?.stop());

const see = (what, answer, allowed) => world.see(what, answer, allowed);
/** A change on both servers at once: `once` says what one of them hears, `else_` what the other does. */
async function both(what, request, once, else_) {
    const answers = await Promise.all([0, 1].map((on) => world.admin(...request, { on })));
    const said = answers.map(saidBy).map(String).sort();
    world.claim(said.join() === [String(once), String(else_)].sort().join(), `${what}: ${answers.map((answer) => `${answer.status} ${answer.text.slice(0, 200)}`).join(' and ')}`);
}

/** One administrator, on one server: a collection of its own, from birth to end, which points to what others change. */
async function owner(on) {
    const name = `st_own_${on}`;
    const change = (what, allowed, method, target, body) => world.admin(method, target, body, { on }).then((answer) => see(`${what} on ${on}`, answer, allowed));
    const there = async (target, status) => { // on the other server
        const answer = await world.admin('GET', target, undefined, { on: 1 - on });
        see(`${target} on ${1 - on}`, answer, [status]);
    };
    for (let round = 0; round < ROUNDS; round++) {
        await change('collection', [200], 'POST', '/collections', { collection: name, schema: {}, meta: { tenant: true }, fields: [{ field: 'title', type: 'string', meta: {} }] });
        await there(`/items/${name}`, 200);
        await change('field', [200], 'POST', `/fields/${name}`, { field: 'post', type: 'integer', schema: {}, meta: {} });
        await change('relation', [200], 'POST', '/relations', { collection: name, field: 'post', related_collection: 'st_posts', meta: {}, schema: { on_delete: 'SET NULL' } });
        await there(`/items/${name}?fields=post.title`, 200);
        await change('type', [200], 'PATCH', `/fields/${name}/title`, { type: 'text', schema: { is_nullable: false, default_value: 'x' }, meta: { note: `${round}` } });
        await change('fields', [200], 'PATCH', `/fields/${name}`, [{ field: 'title', meta: { sort: 2 } }, { field: 'post', meta: { sort: 1 } }]);
        await change('action', [200], 'PATCH', `/relations/${name}/post`, { collection: name, field: 'post', schema: { on_delete: 'CASCADE' } });
        await change('meta', [200], 'PATCH', `/collections/${name}`, { meta: { note: `round ${round}` } });
        if (round < ROUNDS - 1) {
            await change('end of a field', [204], 'DELETE', `/fields/${name}/post`);
            await there(`/items/${name}?fields=post`, 'FORBIDDEN');
            await change('end of a collection', [204], 'DELETE', `/collections/${name}`);
            await there(`/items/${name}`, 'FORBIDDEN');
        }
    }
}

/** Both want the same at once. */
async function rivals() {
    for (let round = 0; round < ROUNDS; round++) {
        await both('the same collection', ['POST', '/collections', { collection: 'st_twin', schema: {}, meta: {} }], 200, 'INVALID_PAYLOAD');
        await both('the same field', ['POST', '/fields/st_posts', { field: 'twin', type: 'integer', schema: { is_indexed: true }, meta: {} }], 200, 'INVALID_PAYLOAD');
        await both('the same relation', ['POST', '/relations', { collection: 'st_posts', field: 'twin', related_collection: 'st_people', meta: {}, schema: { on_delete: 'SET NULL' } }], 200, 'INVALID_PAYLOAD');
        await both('the same change', ['PATCH', '/fields/st_posts/twin', { type: 'integer', schema: { is_nullable: true }, meta: { note: `${round}` } }], 200, 200);
        await both('the end of the relation', ['DELETE', '/relations/st_posts/twin', undefined], 204, 'INVALID_PAYLOAD');
        await both('the end of the field', ['DELETE', '/fields/st_posts/twin', undefined], 204, 204);
        await both('the end of the collection', ['DELETE', '/collections/st_twin', undefined], 204, 'FORBIDDEN');
    }
}

/** All that is named is there. */
function isWhole(what, { collections, fields, relations }) {
    const names = new Set(collections.map((c) => c.collection));
    const columns = new Set(fields.map((f) => `${f.collection}.${f.field}`));
    for (const f of fields) world.claim(names.has(f.collection), `${what}: the field ${f.collection}.${f.field} of no collection`);
    for (const c of collections) if (c.schema) world.claim(columns.has(`${c.collection}.id`), `${what}: the collection ${c.collection} without a key`);
    for (const r of relations) {
        world.claim(columns.has(`${r.collection}.${r.field}`), `${what}: the relation ${r.collection}.${r.field} of no field`);
        world.claim(!r.related_collection || names.has(r.related_collection) || !r.related_collection.startsWith('st_'), `${what}: the relation ${r.collection}.${r.field} to ${r.related_collection}`);
    }
}

/** Whether a difference is no other than the one that was made; others change between a snapshot and its difference, too. */
const isOwn = ({ collections, fields, relations }) =>
    collections.every((c) => c.collection === 'st_tags') && fields.every((f) => f.collection === 'st_heads') && relations.length === 0;

/** Snapshots are of one moment; a difference is carried out as long as nothing else has changed. */
async function snapshots(applied, from, to) {
    for (let round = from; round < to; round++) {
        const snapshot = see('a snapshot', await world.admin('GET', '/schema/snapshot'), [200]);
        if (!snapshot) continue;
        isWhole('a snapshot', snapshot);
        const note = `note ${round}`;
        snapshot.collections.find((c) => c.collection === 'st_tags').meta.note = note;
        const label = snapshot.fields.find((f) => f.collection === 'st_heads' && f.field === 'label');
        snapshot.fields.push({ ...structuredClone(label), field: `applied_${round}`, meta: { ...label.meta, field: `applied_${round}` }, schema: { ...label.schema, name: `applied_${round}` } });
        const diff = see('a difference', await world.admin('POST', '/schema/diff', snapshot), [200]);
        if (!diff || !isOwn(diff.diff)) continue;
        const answer = await world.admin('POST', '/schema/apply', diff);
        see('a difference that is carried out', answer, [204, 'INVALID_PAYLOAD']);
        if (answer.status !== 204) continue;
        applied.push([round, note]);
        const read = see('what was carried out', await world.admin('GET', `/fields/st_heads/applied_${round}`), [200]);
        world.claim(read?.type === 'string', `applied_${round} is ${JSON.stringify(read)}`);
    }
}

async function readers(site) {
    for (let round = 0; round < 2 * ROUNDS; round++) {
        for (const target of ['/collections', '/fields', '/relations', '/fields/st_posts', '/relations/st_posts']) see(target, await world.admin('GET', target), [200]);
        const rows = see('posts', await world.ask(site.token, 'GET', '/items/st_posts?fields=*.*'), [200]);
        world.claim(rows?.length === 1 && rows[0].title === site.name, `${site.name} reads ${JSON.stringify(rows)}`);
        see('posts with a twin', await world.ask(site.token, 'GET', '/items/st_posts?fields=twin.name&filter[twin][name][_null]=true'), [200, 'FORBIDDEN', 'INVALID_QUERY']);
    }
}

test('two administrators change the schema at once, beside snapshots', async () => {
    const applied = [];
    await Promise.all([owner(0), owner(1), rivals(), snapshots(applied, 0, 2 * ROUNDS), ...world.sites.map(readers)]);
    world.calm();
    await snapshots(applied, 2 * ROUNDS, 2 * ROUNDS + 1); // nobody else is there
    world.calm();
    assert.ok(applied.length >= 1);
    await schemaIsTheDatabases(world);
    const whole = await world.ok('GET', '/schema/snapshot');
    isWhole('the last snapshot', whole);
    world.calm();
    assert.equal((await world.admin('POST', '/schema/diff', whole)).status, 204);
    assert.deepEqual(whole.collections.filter((c) => c.collection.startsWith('st_own') || c.collection === 'st_twin').map((c) => [c.collection, c.meta.note]), [0, 1].map((on) => [`st_own_${on}`, `round ${ROUNDS - 1}`]));
    assert.deepEqual(whole.fields.filter((f) => f.field.startsWith('applied_')).map((f) => f.field).sort(), applied.map(([round]) => `applied_${round}`).sort());
    assert.equal(whole.collections.find((c) => c.collection === 'st_tags').meta.note, applied.at(-1)[1]);
    const orphans = await world.stack.rows(`select collection, field from directus_fields f where collection like 'st\\_%' and not exists (select from directus_collections c where c.collection = f.collection)
        union all select many_collection, many_field from directus_relations r where many_collection like 'st\\_%' and not exists (select from directus_fields f where f.collection = r.many_collection and f.field = r.many_field)`);
    assert.deepEqual(orphans, []);
});
