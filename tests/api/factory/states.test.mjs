// State machines: every pair of states, tried through /items, is a move or a 409.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';

import { codeOf, startApi } from '../../support/api.mjs';

let stack;
let site;
let campaign;
before(async () => {
    stack = await startApi();
    [[site]] = await stack.rows("insert into sites (name, domain) values ('states', 'states.example') returning id");
    [[campaign]] = await stack.rows(`insert into campaign_masters (site_id, name) values ('${site}', 'c') returning id`);
});
after(() => stack?.stop());

const ask = (method, path, body) => stack.call({ method, path, body, token: stack.adminToken });

const machines = {
    generated_articles: {
        born: ['draft', 'queued', 'processing', 'qc', 'archived'],
        closed: ['published'], // the gate's, see gate.test.mjs
        row: () => ({ title: 'x' }),
        moves: {
            draft: ['queued', 'qc', 'archived'],
            queued: ['processing', 'draft', 'archived'],
            processing: ['qc', 'queued'],
            qc: ['approved', 'queued', 'draft', 'archived'],
            approved: ['published', 'qc', 'archived'],
            published: ['archived'],
            archived: ['draft'],
        },
    },
    headline_inventory: {
        born: ['available', 'archived'],
        closed: [],
        row: (n) => ({ final_title_text: `Headline ${n}`, campaign_id: campaign }),
        moves: {
            available: ['reserved', 'used', 'archived'],
            reserved: ['available', 'used', 'archived'],
            used: ['available', 'archived'],
            archived: ['available'],
        },
    },
    generation_jobs: {
        born: ['pending'],
        closed: [],
        row: () => ({ campaign_id: campaign }),
        moves: {
            pending: ['processing', 'completed', 'failed', 'cancelled'],
            processing: ['completed', 'failed', 'cancelled'],
            failed: ['pending', 'processing'],
            completed: ['pending'],
            cancelled: [],
        },
    },
    production_queue: {
        born: ['pending', 'test_batch', 'approved', 'running', 'paused', 'done', 'failed', 'cancelled'],
        closed: [],
        row: () => ({ campaign_id: campaign }),
        moves: {
            pending: ['test_batch', 'approved', 'cancelled'],
            test_batch: ['approved', 'pending', 'cancelled'],
            approved: ['running', 'cancelled'],
            running: ['paused', 'done', 'failed', 'cancelled'],
            paused: ['running', 'cancelled'],
            failed: ['approved', 'cancelled'],
            done: [],
            cancelled: [],
        },
    },
};

let made = 0;
/** A row that stands in a state, whichever way it came there: the owner may put it there. */
async function rowIn(collection, status) {
    const row = { site_id: site, ...machines[collection].row(++made), status };
    if (row.campaign_id) row.campaign_site_id = site;
    if (row.final_title_text) row.text_hash = createHash('sha256').update(row.final_title_text).digest('hex');
    if (collection === 'generated_articles' && ['approved', 'published'].includes(status))
        Object.assign(row, { approval: '{"approved_at": "2026-01-01T00:00:00Z"}', is_published: status === 'published' });
    const [[id]] = await stack.rows(`set role spark_owner;
        alter table ${collection} disable trigger user;
        insert into ${collection} (${Object.keys(row).join(', ')}) values (${Object.values(row).map((value) => `'${value}'`).join(', ')}) returning id;
        alter table ${collection} enable trigger user`);
    return id;
}

for (const [collection, machine] of Object.entries(machines)) {
    const states = Object.keys(machine.moves);

    test(`${collection}: every pair of states is a move or a conflict`, async () => {
        for (const from of states)
            for (const to of states) {
                const id = await rowIn(collection, from);
                const answer = await ask('PATCH', `/items/${collection}/${id}`, { status: to });
                const isMove = from === to || machine.moves[from].includes(to);
                const isGates = to === 'published' && !['approved', 'published'].includes(from);
                assert.equal(answer.status, isMove ? 200 : 409, `${from} → ${to}: ${answer.text}`);
                if (!isMove && !isGates) {
                    assert.equal(codeOf(answer), 'CONFLICT');
                    assert.equal(answer.body.errors[0].extensions.field, 'status');
                    assert.match(answer.body.errors[0].message, new RegExp(`that is ${from} cannot become ${to}\\.$`));
                }
                const [[now]] = await stack.rows(`select status from ${collection} where id = '${id}'`);
                assert.equal(now, isMove ? to : from);
            }
    });

    test(`${collection}: a row begins where the machine begins`, async () => {
        for (const status of states) {
            const answer = await ask('POST', `/items/${collection}`, { site_id: site, ...machine.row(++made), status });
            assert.equal(answer.status, machine.born.includes(status) ? 200 : 409, `${status}: ${answer.text}`);
            assert.ok(answer.status === 200 || codeOf(answer) === (machine.closed.includes(status) ? 'QUALITY_GATE' : 'CONFLICT'), answer.text);
        }
        for (const status of ['', 'nonsense']) {
            const answer = await ask('POST', `/items/${collection}`, { site_id: site, ...machine.row(++made), status });
            assert.deepEqual([answer.status, codeOf(answer)], [400, 'FAILED_VALIDATION']);
        }
    });
}

test('a batch that is tried again begins at nothing', async () => {
    const id = await rowIn('generation_jobs', 'failed');
    await stack.run(`update generation_jobs set progress = 40 where id = '${id}'`);
    const answer = await ask('PATCH', `/items/generation_jobs/${id}`, { status: 'pending' });
    assert.deepEqual([answer.status, answer.body.data.progress], [200, 0]);
});

test('one illegal move among many moves none', async () => {
    const ids = [await rowIn('generated_articles', 'qc'), await rowIn('generated_articles', 'draft')];
    const answer = await ask('PATCH', '/items/generated_articles', { keys: ids, data: { status: 'approved' } });
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'CONFLICT'], answer.text);
    assert.deepEqual(await stack.rows(`select status from generated_articles where id in ('${ids.join("','")}') order by status`), [['draft'], ['qc']]);
});
