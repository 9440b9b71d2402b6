// Questions of the query language to a rich schema, and what Directus 11.17.4 answered (tests/fixtures/queries); where
// Spark answers differently on purpose, differences.jsonl says why.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { startApi } from '../../support/api.mjs';
import { essence, requestOf } from '../../support/questions.mjs';

const fixture = (name) => readFile(new URL(`../../fixtures/queries/${name}`, import.meta.url), 'utf8');
const rows = async (name) => (await fixture(name)).trim().split('\n').map((line) => JSON.parse(line));

let stack;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(await fixture('schema.sql'));
});
after(() => stack.stop());

const ask = async (question) => {
    const answer = await stack.call(requestOf(question, stack.adminToken));
    return essence(answer.status, answer.body);
};

// One test for each kind of question: thousands of tests would say the same, but slowly.
const kindOf = (question) => /aggregate|groupBy/.exec(question)?.[0] ?? /filter|deep|sort|search|fields|limit|meta/.exec(question)?.[0] ?? 'other';

for (const [file, claim] of [['answers.jsonl', 'as Directus'], ['differences.jsonl', 'unlike Directus']]) {
    const questions = await rows(file);
    for (const kind of new Set(questions.map((row) => kindOf(row.ask)))) {
        test(`${kind} ${claim}`, async () => {
            const wrong = [];
            for (const { ask: question, why, ...want } of questions.filter((row) => kindOf(row.ask) === kind)) {
                const got = await ask(question);
                try {
                    assert.deepEqual(got, want);
                } catch {
                    wrong.push(`${question}\n  got  ${JSON.stringify(got).slice(0, 400)}\n  want ${JSON.stringify(want).slice(0, 400)}`);
                }
            }
            assert.equal(wrong.length, 0, `${wrong.length} answers:\n${wrong.slice(0, 10).join('\n')}`);
        });
    }
}
