// usage: main.mjs [options]
//   --subject NAME     only this file of subjects/, or random-NAME of random/
//   --name TEXT        only sequences with this in their name
//   --seed N           of the generated sequences (1)
//   --count N          how many each generator makes (40)
//   --verbose          every difference, not only the first of each group
//   --answers          all answers of the sequences, alike or not
//   --out FILE         the report in a file, too
//   --lines FILE       one line for each sequence that differs
//   --serve FILE       only starts both servers, writes where they are, and stays until it is told to stop
//   --attach FILE      uses these servers and leaves them running (another Spark: --spark URL of the same database)
//   --list             names the sequences

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { catalogue } from './catalogue.mjs';
import { compareSequence } from './compare.mjs';
import { attachPair, startPair } from './pair.mjs';
import { line, report } from './report.mjs';
import { readsOnly, runSequence } from './steps.mjs';
import { sql } from '../support/stack.mjs';

const text = { type: 'string' };
const flag = { type: 'boolean', default: false };
const { values: options } = parseArgs({ options: { subject: text, name: text, seed: text, count: text, out: text, serve: text, attach: text, spark: text, lines: text, verbose: flag, answers: flag, list: flag } });
const sequences = await catalogue({ subject: options.subject, name: options.name, seed: Number(options.seed ?? 1), count: Number(options.count ?? 40) });

/** Keys of the model that neither it nor a request spells out. */
async function keysOf(server) {
    const tables = (await sql(server.databaseUrl, `select tablename from pg_tables where schemaname = 'peer' and tablename not in ('state of', 'counted')`)).map(([table]) => table);
    const all = tables.map((table) => `select r::text from peer."${table}" r`).join(' union all ');
    const rows = await sql(server.databaseUrl, `select m[1] from (${all}) t, regexp_matches(t.r, '00000000-0000-4000-8000-[0-9a-f]{12}', 'g') m group by 1`);
    return rows.map(([key]) => key);
}

async function runOne(pair, keys, { subject, name, steps, known }) {
    const [directus, spark] = await Promise.all([pair.directus, pair.spark].map((server) => runSequence(server, steps, known(keys))));
    if (options.answers)
        for (const [i, step] of steps.entries()) console.log(`${name}\n  ${step.line}\n  Directus ${JSON.stringify(directus[i])}\n  Spark    ${JSON.stringify(spark[i])}`);
    return { subject, name, steps, directus, spark, ...compareSequence(steps, directus, spark) };
}

/** Those that only read run four at a time, the others alone, and what they made is taken back. */
async function runAll(pair) {
    const keys = await keysOf(pair.directus);
    const results = new Map();
    const reading = sequences.filter(({ steps }) => readsOnly(steps));
    await pair.reset();
    await Promise.all(Array.from({ length: 4 }, async () => {
        for (let next = reading.shift(); next; next = reading.shift()) results.set(next, await runOne(pair, keys, next));
    }));
    for (const sequence of sequences.filter(({ steps }) => !readsOnly(steps))) {
        results.set(sequence, await runOne(pair, keys, sequence));
        await pair.reset();
    }
    return sequences.map((sequence) => results.get(sequence));
}

async function serve(file) {
    const pair = await startPair();
    await writeFile(file, JSON.stringify({ ...pair.facts, pid: process.pid }, null, 4));
    console.log(JSON.stringify(pair.facts, null, 4));
    const alive = setInterval(() => {}, 1 << 30);
    for (const signal of ['SIGTERM', 'SIGINT'])
        process.once(signal, async () => {
            clearInterval(alive);
            await pair.stop();
        });
}

if (options.list) {
    for (const { name, steps } of sequences) console.log(`${name} (${steps.length})`);
    console.log(`${sequences.length} sequences`);
} else if (options.serve) {
    await serve(options.serve);
} else {
    const facts = options.attach && JSON.parse(await readFile(options.attach, 'utf8'));
    const pair = facts ? attachPair({ ...facts, ...(options.spark ? { spark: options.spark } : {}) }) : await startPair();
    try {
        const results = await runAll(pair);
        const said = report(results, { verbose: options.verbose });
        console.log(`seed ${options.seed ?? 1}\n${said}`);
        if (options.out) await writeFile(options.out, `${said}\n`);
        if (options.lines) await writeFile(options.lines, results.filter((result) => result.difference).map((result) => `${line(result)}\n`).join(''));
        process.exitCode = results.some((result) => result.difference) ? 1 : 0;
    } finally {
        await pair.stop();
    }
}
