// A database as the last release left it: its migrations, applied and recorded as its `spark migrate` did it, under the
// names that they had then.

import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

/** The last migration of release 0.1. */
const LAST = 'schema/migrations/0032_pack_article_links.sql';

/** groups: 'system' and, where it is wanted, 'pack'; then the SQL files of `rows`. */
export async function applyReleased(databaseUrl, groups = ['system', 'pack'], rows = []) {
    const renamed = await readFile(path.join(root, 'schema/renamed'), 'utf8');
    const lines = renamed.trim().split('\n').filter((line) => !line.startsWith('#')).map((line) => line.split(' '));
    const last = lines.findIndex(([, name]) => name === LAST);
    const script = [
        '\\set ON_ERROR_STOP 1',
        'set search_path = public; set client_min_messages = warning;',
        'create schema spark;',
        'create table spark.migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now());',
    ];
    for (const [oldName, name] of lines.slice(0, last + 1)) {
        if (!groups.includes(oldName.split('/')[1])) continue;
        const sql = await readFile(path.join(root, name));
        const sum = createHash('sha256').update(sql).digest('hex');
        script.push('begin;', `\\i ${path.join(root, name)}`, `insert into spark.migrations (name, checksum) values ('${oldName}', '${sum}');`, 'commit;');
    }
    for (const file of rows) script.push(`\\i ${path.join(root, file)}`);
    const folder = await mkdtemp(path.join(tmpdir(), 'released-'));
    try {
        const file = path.join(folder, 'all.sql');
        await writeFile(file, script.join('\n'));
        await run('psql', ['-X', '-q', '-At', '-d', databaseUrl, '-f', file], { maxBuffer: 64 << 20 });
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}
