// What Directus answered, kept in tests/fixtures/golden, so that Spark can be held to it without Directus.
//
// A file for each subject: the distinct answers, and for each sequence a mark of its steps and the numbers of its answers. Sequences with
// long answers are left to `make test-peer`. open.txt names those that Spark does not yet answer alike; nothing that is alike may be in it.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

export const folder = path.resolve(import.meta.dirname, '../fixtures/golden');
const longest = 2500; // characters of all answers of a sequence
const json = 'application/json; charset=utf-8';
/* Rows with the same sort value have no fixed order, and a limit takes some of them: not the same each time. */
const unsteady = new Set(['nested: many at once']);

const markOf = (steps) => createHash('sha1').update(JSON.stringify(steps)).digest('hex').slice(0, 6);

const pack = ({ status, type, body, headers }) => JSON.stringify([status, type === json ? 0 : type, body, ...(headers ? [headers] : [])]);
const unpack = ([status, type, body, headers]) => ({ status, type: type === 0 ? json : type, body, ...(headers ? { headers } : {}) });

/** sequences: [{ name, steps, answers }] of one subject */
export async function writeRecord(subject, sequences) {
    const numbers = new Map();
    const numberOf = (text) => {
        if (!numbers.has(text)) numbers.set(text, numbers.size);
        return numbers.get(text);
    };
    const kept = sequences.filter(({ name }) => !unsteady.has(name)).map(({ name, steps, answers }) => [name, markOf(steps), answers.map(pack)])
        .filter(([, , texts]) => texts.join('').length <= longest && !texts.some((text) => text.includes('"TimeoutError')));
    const lines = kept.map(([name, mark, texts]) => `${JSON.stringify(name)}: ${JSON.stringify([mark, ...texts.map(numberOf)])}`);
    const text = `{"sequences": {\n${lines.join(',\n')}\n}, "answers": [\n${[...numbers.keys()].join(',\n')}\n]}\n`;
    if (kept.length > 0) await writeFile(path.join(folder, `${subject}.json`), text);
    return kept.length;
}

/** → answersOf(sequence): the answers of Directus, undefined when none were kept or the sequence is another one by now */
export async function readRecord(subject) {
    const { sequences, answers } = JSON.parse(await readFile(path.join(folder, `${subject}.json`), 'utf8'));
    return {
        names: Object.keys(sequences),
        answersOf({ name, steps }) {
            const [mark, ...numbers] = sequences[name] ?? [];
            return mark === markOf(steps) ? numbers.map((number) => unpack(answers[number])) : undefined;
        },
    };
}

// open: sequences; sdk_open: commands of the SDK with its version.
const openFile = (list) => path.join(folder, `${list}.txt`);
const what = { open: 'recorded sequences that Spark does not answer as Directus does', sdk_open: 'commands of the SDK that Spark does not answer' };

/** The names of those that are open. */
export async function readOpen(list) {
    const lines = (await readFile(openFile(list), 'utf8')).split('\n');
    return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

export async function writeOpen(list, names) {
    const sorted = [...names].sort();
    await writeFile(openFile(list), `${[`# ${sorted.length} ${what[list]}. \`make record-open\` writes this list.`, ...sorted].join('\n')}\n`);
}
