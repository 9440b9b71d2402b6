// All sequences: those of subjects/, which are lists by name, and those of random/, which are made from a seed.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { generator } from '../support/random.mjs';
import { knownOf, readStep } from './steps.mjs';

const here = import.meta.dirname;
const modulesOf = async (folder) => (await readdir(path.join(here, folder))).filter((name) => name.endsWith('.mjs')).sort();

const stepsOf = (value) => (typeof value === 'string' ? [value] : value).map(readStep);

/** options: subject, name (part of it), seed, count (of each generator) → [{ subject, name, steps, known }] */
export async function catalogue({ subject, name, seed = 1, count = 40 } = {}) {
    const model = new Set((await readFile(path.join(here, 'model.sql'), 'utf8')).match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g));
    const sequences = [];
    const add = (of, entries) => {
        for (const [title, value] of entries) {
            const full = `${of}: ${title}`;
            if (name === undefined || full.includes(name)) sequences.push({ subject: of, name: full, steps: stepsOf(value), known: (known) => knownOf(value, [...model, ...known]) });
        }
    };
    for (const file of await modulesOf('subjects')) {
        const of = path.basename(file, '.mjs');
        if (subject === undefined || subject === of) add(of, Object.entries((await import(`./subjects/${file}`)).default));
    }
    for (const file of await modulesOf('random')) {
        const of = `random-${path.basename(file, '.mjs')}`;
        if (subject !== undefined && subject !== of) continue;
        const { make } = await import(`./random/${file}`);
        add(of, Array.from({ length: count }, (_, i) => [`seed ${seed}, number ${i}`, make(generator(seed * 1_000_003 + i))]));
    }
    return sequences;
}
