// The recorded sequences against Spark alone.
//
//   SPARK_BIN=… node tests/peer/replay.mjs [--subject NAME]   prints what differs of what is not open
//   SPARK_BIN=… node tests/peer/replay.mjs --open [--subject NAME]   writes tests/fixtures/golden/open.txt and sdk_open.txt anew

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { catalogue } from './catalogue.mjs';
import { compareSequence } from './compare.mjs';
import { callAll, versions } from '../support/sdk_commands.mjs';
import { folder, readOpen, readRecord, writeOpen } from './golden.mjs';
import { keysOf, startSpark, tokenOf } from './pair.mjs';
import { report } from './report.mjs';
import { readsOnly, runSequence } from './steps.mjs';

export const subjects = async () => (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length)).sort();

/** → { results, stale: names of records whose sequence has changed } */
export async function replay(pair, subject) {
    const record = await readRecord(subject);
    const keys = await keysOf(pair.spark);
    const sequences = (await catalogue({ subject })).filter(({ name }) => record.names.includes(name));
    const results = [];
    const stale = new Set(record.names);
    const runOne = async (sequence) => {
        const directus = record.answersOf(sequence);
        if (!directus) return;
        stale.delete(sequence.name);
        const spark = await runSequence(pair.spark, sequence.steps, sequence.known(keys));
        results.push({ ...sequence, directus, spark, ...compareSequence(sequence.steps, directus, spark) });
    };
    await pair.reset();
    const reading = sequences.filter(({ steps }) => readsOnly(steps));
    await Promise.all(Array.from({ length: 4 }, async () => {
        for (let next = reading.shift(); next; next = reading.shift()) await runOne(next);
    }));
    for (const sequence of sequences.filter(({ steps }) => !readsOnly(steps))) {
        await runOne(sequence);
        await pair.reset();
    }
    return { results, stale: [...stale] };
}

async function listCommands(pair) {
    const failed = new Set();
    for (const [version, load] of Object.entries(versions)) {
        await pair.reset();
        for (const name of (await callAll(await load(), pair.spark.url, tokenOf('admin'))).failed.keys()) failed.add(`${version} ${name}`);
    }
    await writeOpen('sdk_open', failed);
    console.log(`${failed.size} commands of the SDK open`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const { values } = parseArgs({ options: { open: { type: 'boolean' }, subject: { type: 'string' } } });
    const pair = await startSpark();
    try {
        const all = [];
        for (const subject of values.subject ? [values.subject] : await subjects()) all.push(...(await replay(pair, subject)).results);
        const differ = all.filter(({ difference }) => difference);
        if (values.open) {
            const others = values.subject ? (await readOpen('open')).filter((name) => !name.startsWith(`${values.subject}: `)) : [];
            await writeOpen('open', [...others, ...differ.map(({ name }) => name)]);
            console.log(`${all.length} recorded, ${differ.length} open`);
            if (!values.subject) await listCommands(pair);
        } else {
            const open = new Set(await readOpen('open'));
            console.log(report(all.filter(({ name }) => !open.has(name))));
        }
    } finally {
        await pair.stop();
    }
}
