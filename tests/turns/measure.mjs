// The CPU of the longest turn that a request or a job makes, out of what server and workers log about long
// turns (event long_turn). CPU, not time, and the least of three tries, so that a busy machine fails nothing.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { until } from '../support/stack.mjs';

/** Turns from here on are logged, and printed. */
export const SHOWN_MS = 20;
/** No turn may take more. */
export const MOST_MS = 50;
const TRIES = 3;

const linesOf = async (stack, name) => {
    const text = await readFile(path.join(stack.folder, name), 'utf8').catch(() => '');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1); // the last line may still be written
    return whole.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
};
const longTurns = (lines) => lines.filter((line) => line.event === 'long_turn');

/** The patterns that extensions have registered, as "GET /god/status": what the server logs at its start. */
export const extensionRoutes = async (stack) =>
    (await linesOf(stack, 'server.log')).filter((line) => line.event === 'extension_route').map((line) => `${line.method} ${line.pattern}`);

/** What the server's log says once it has said everything that its counter counts. */
async function serverTurns(stack) {
    const metrics = (await stack.call({ path: '/metrics', token: stack.adminToken })).text;
    const count = Number(/^spark_loop_turns_long (\d+)$/m.exec(metrics)[1]);
    return until(async () => {
        const turns = longTurns(await linesOf(stack, 'server.log'));
        return turns.length >= count && turns;
    }, 'the log of the server');
}

/** The worker's log up to the end of a job that is queued now. */
async function workerTurns(stack) {
    const [[id]] = await stack.rows(`insert into spark.jobs (site_id, kind) values (null, 'bench-noop') returning id`);
    return until(async () => {
        const lines = await linesOf(stack, 'worker-1.log');
        return lines.some((line) => line.event === 'job_done' && String(line.job) === id) && longTurns(lines);
    }, `the job ${id}`, 120);
}

/** Runs it until its longest turn is short enough, thrice at most; the least of the longest, in ms. */
async function measure(what, run, turns, most) {
    let least = Infinity;
    for (let i = 0; i < TRIES && least > most; i++) {
        const before = (await turns()).length;
        await run();
        const made = (await turns()).slice(before);
        const longest = made.sort((x, y) => y.cpu_us - x.cpu_us)[0];
        if (longest) console.log(`${what}: ${(longest.cpu_us / 1000).toFixed(1)} ms (${longest.fiber}: ${longest.work}, ${(longest.fiber_us / 1000).toFixed(1)} ms in it, ${made.length} turns over ${SHOWN_MS} ms)`);
        least = Math.min(least, (longest?.cpu_us ?? 0) / 1000);
    }
    return least;
}

const name = (request) => `${request.method} ${request.path} ${(request.text ?? JSON.stringify(request.body) ?? '').slice(0, 60)}`;

/** An input that is refused at the door measures nothing: entries that are answered by an error say which. */
function faultOf({ status, ...request }, answer) {
    const isTaken = answer.status >= 200 && answer.status < 300;
    const isMeant = status === undefined ? isTaken : answer.status === status;
    return isMeant ? [] : [`${name(request)} → ${answer.status} ${answer.text.slice(0, 300)}`];
}

/** `list`: functions that make a request, each time another one where it must be. */
export async function measureRequests(stack, list) {
    const late = [];
    for (const make of list) {
        let request = make();
        let next = request;
        let answer;
        const what = name(request);
        const ms = await measure(what, async () => {
            request = next ?? make();
            next = undefined;
            answer = await stack.call(request);
        }, () => serverTurns(stack), MOST_MS);
        if (process.env.TURNS_VERBOSE) console.log(`${what} → ${answer.status} ${answer.text.length} ${answer.status >= 400 ? answer.text.slice(0, 200) : ''}`);
        late.push(...faultOf(request, answer));
        if (ms > MOST_MS) late.push(`${what}: ${ms.toFixed(1)} ms`);
    }
    assert.deepEqual(late, []);
}

/** `run` sends requests of its own. */
export async function measureRun(what, stack, run) {
    const ms = await measure(what, run, () => serverTurns(stack), MOST_MS);
    assert.ok(ms <= MOST_MS, `${ms} ms`);
}

/** `run` queues a job and waits for its end. */
export async function measureJob(stack, kind, run) {
    const ms = await measure(`job ${kind}`, run, () => workerTurns(stack), MOST_MS);
    assert.ok(ms <= MOST_MS, `${ms} ms`);
}
