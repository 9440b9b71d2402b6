// Sites, articles and jobs for the tests that watch a queue.

import { randomUUID } from 'node:crypto';

import { until } from './stack.mjs';

/** Runs SQL as the platform does: the role and the scope that the server's own lanes have. */
export const asPlatform = (stack, text) =>
    stack.sql(`begin; set local role spark_platform; set local spark.scope = 'platform'; ${text}; commit`);

/** The first start makes the administrator, which changes rights: open streams end then. */
export const firstStartIsOver = (stack) =>
    until(async () => {
        if (!stack.server.isRunning) throw new Error(`the server ended\n${stack.server.tail.join('\n')}`);
        return stack.server.tail.some((line) => line.includes('"event":"ready"'));
    }, 'the first start');

const quote = (text) => `'${text.replaceAll("'", "''")}'`;

/** The id of a new site. */
export async function makeSite(stack, name) {
    const [[id]] = await asPlatform(
        stack,
        `insert into sites (name, domain) values (${quote(name)}, ${quote(`${name.toLowerCase().replaceAll(/\W+/g, '-')}.example`)}) returning id`,
    );
    return id;
}

/** Jobs of a kind that no worker knows: they stay as they are. `site` null: the platform's. */
export const makeJobs = (stack, site, count, state = 'queued') =>
    asPlatform(
        stack,
        `insert into spark.jobs (site_id, kind, state, finished_at)
         select ${site ? quote(site) : 'null'}, 'test_only', ${quote(state)}, case when ${quote(state)} in ('done', 'dead') then now() end
           from generate_series(1, ${count})`,
    );

/** It comes to its status as an editor would bring it there: no article begins as approved or published. */
export const makeArticle = (stack, site, { title, content, status = 'qc', words = 812, minutesAgo = 0 }) => {
    const id = randomUUID();
    const moves = { approved: ['approved'], published: ['approved', 'published'] }[status] ?? [];
    return asPlatform(
        stack,
        `insert into generated_articles (id, site_id, title, slug, content, status, word_count, date_created)
         values ('${id}', ${quote(site)}, ${quote(title)}, ${quote(title.toLowerCase().replaceAll(/\W+/g, '-'))}, ${quote(content)},
                 ${quote(moves.length > 0 ? 'qc' : status)}, ${words}, now() - interval '${minutesAgo} minutes');
         ${moves.map((move) => `update generated_articles set status = '${move}' where id = '${id}';`).join(' ')}`,
    );
};

/** A token of one site. */
export async function makeSiteToken(stack, site) {
    const { status, body } = await stack.request('POST', '/api/admin/site-tokens', { site_id: site, name: 'test' });
    if (status !== 201) throw new Error(`no site token: ${JSON.stringify(body)}`);
    return body.token;
}
