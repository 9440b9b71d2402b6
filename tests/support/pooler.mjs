// PgBouncer in transaction mode before a database of `startBackends`, with few sessions that all its
// clients share, and a login of its own for each lane's role.

import { writeFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { Child, freePort, makeFolder, sql, until } from './stack.mjs';

/** { tenantUrl, platformUrl, stop() }; the database is migrated already. */
export async function startPooler(backends, databaseUrl, sessions = 3) {
    const [, host] = /[?&]host=([^&]+)/.exec(databaseUrl);
    const [, database] = /\/([^/?]+)\?/.exec(databaseUrl);
    // Owning tables is refused to the lanes' logins, by inheritance too; changing the schema needs the owner.
    await sql(backends.databaseAdminUrl, `
        create role pooled_tenant login in role spark_tenant;
        create role pooled_ddl noinherit in role spark_owner;
        create role pooled_platform login in role spark_platform, pooled_ddl`);

    const folder = await makeFolder('pooler');
    const port = await freePort();
    await writeFile(path.join(folder, 'users'), '"pooled_tenant" ""\n"pooled_platform" ""\n');
    await writeFile(path.join(folder, 'ini'), [
        '[databases]', `${database} = host=${decodeURIComponent(host)}`,
        '[pgbouncer]', 'listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =',
        'auth_type = trust', `auth_file = ${folder}/users`,
        'pool_mode = transaction', `default_pool_size = ${sessions}`, 'max_client_conn = 1000', ''].join('\n'));
    // It refuses to run as root, and only the servers' user may enter the folder of their sockets.
    const { uid, gid } = await stat(backends.sockets);
    const pooler = new Child('pgbouncer', 'pgbouncer', [path.join(folder, 'ini')], {
        env: { PATH: `${process.env.PATH}:/usr/sbin` },
        user: process.getuid() === 0 ? { uid, gid } : {},
    });
    await until(() => {
        if (!pooler.isRunning) throw new Error(`pgbouncer ended\n${pooler.tail.join('\n')}`);
        return pooler.tail.some((line) => line.includes('process up'));
    }, 'PgBouncer');
    const url = (login) => `postgresql://${login}@127.0.0.1:${port}/${database}`;
    return {
        tenantUrl: url('pooled_tenant'),
        platformUrl: url('pooled_platform'),
        async stop() {
            await pooler.stop();
            await rm(folder, { recursive: true, force: true });
        },
    };
}
