// Server-sent events over fetch, because EventSource cannot carry an Authorization header.

import { ApiError, request } from './session.js';

const silenceMs = 40000; // the server says something every 15 s
const waitMinMs = 1000;
const waitMaxMs = 15000;
const eventSizeMax = 64 * 1024;

/** One event's lines as { event, data }. */
function parse(block) {
    const found = { event: 'message', data: '' };
    for (const line of block.split('\n')) {
        const colon = line.indexOf(':');
        if (colon <= 0) continue; // a comment
        const value = line.slice(colon + 1).replace(/^ /, '');
        if (line.startsWith('event:')) found.event = value;
        if (line.startsWith('data:')) found.data += value;
    }
    return found;
}

async function readAll(response, signal, onEvent, stillThere) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    signal.addEventListener('abort', () => reader.cancel().catch(() => {}));
    let rest = '';
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        stillThere();
        rest += value;
        if (rest.length > eventSizeMax) throw new Error('an event without an end');
        const blocks = rest.split('\n\n');
        rest = blocks.pop();
        for (const block of blocks) {
            const { event, data } = parse(block);
            if (data) onEvent(event, JSON.parse(data));
        }
    }
}

async function connectOnce(path, stop, onEvent, onOpen) {
    const silence = new AbortController();
    let timer;
    const stillThere = () => {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
    };
    const signal = AbortSignal.any([stop, silence.signal]);
    try {
        stillThere();
        const response = await request(path, { signal, headers: { accept: 'text/event-stream' } });
        onOpen();
        await readAll(response, signal, onEvent, stillThere);
    } finally {
        clearTimeout(timer);
    }
}

const sleep = (ms, signal) =>
    new Promise((resume) => {
        const timer = setTimeout(resume, ms);
        signal.addEventListener('abort', () => (clearTimeout(timer), resume()), { once: true });
    });

/**
 * Follows a stream until `stop` is aborted, coming back with growing waits. A stream that ends well
 * is simply opened again: the server ends it when rights may have changed.
 *
 * hear: onEvent(name, data), onOpen(), onLost(error), onRefused(error) for an error that no second
 * try can mend; then it is over.
 */
export async function follow(path, stop, hear) {
    let waitMs = waitMinMs;
    while (!stop.aborted) {
        try {
            await connectOnce(path, stop, hear.onEvent, () => {
                waitMs = waitMinMs;
                hear.onOpen();
            });
        } catch (error) {
            if (stop.aborted) return;
            if (error instanceof ApiError && error.status < 500 && error.status !== 429) {
                hear.onRefused(error);
                return;
            }
            hear.onLost(error);
            waitMs = Math.min(waitMs * 2, waitMaxMs);
        }
        await sleep(waitMs * (0.5 + Math.random() / 2), stop);
    }
}
