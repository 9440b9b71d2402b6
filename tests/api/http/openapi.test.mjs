// The description of the surface: it is OpenAPI, a linter finds nothing, and it names what is there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createConfig, lintFromString } from '@redocly/openapi-core';

import { readRoutes, startApi } from '../../support/api.mjs';

let stack;
let text;
before(async () => {
    stack = await startApi();
    const answer = await stack.call({ path: '/server/specs/oas' });
    assert.equal(answer.status, 200, answer.text);
    text = answer.text;
});
after(() => stack.stop());

test('linter_finds_nothing', async () => {
    const config = await createConfig({ extends: ['recommended-strict'], rules: { 'no-empty-servers': 'error', 'operation-operationId-unique': 'error' } });
    const problems = await lintFromString({ source: text, absoluteRef: '/openapi.json', config });
    assert.deepEqual(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]), []);
});

test('routes_are_those_of_the_table', async () => {
    const described = Object.entries(JSON.parse(text).paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { operationId }]) => `${method.replace('x-', '').toUpperCase()} ${path} ${operationId}`));
    const routes = (await readRoutes()).map(({ method, pattern, handler }) => `${method} ${pattern.replace(/:(\w+)/g, '{$1}')} ${handler}`);
    assert.deepEqual(described.sort(), routes.sort());
});

test('who_may_call_is_said_and_true', async () => {
    const { paths } = JSON.parse(text);
    for (const { method, pattern, guard } of await readRoutes()) {
        if (method === 'SEARCH') continue;
        const { security } = paths[pattern.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()];
        assert.equal(security.some((one) => Object.keys(one).length === 0), !['GUARD_ADMIN', 'GUARD_MEMBER', 'GUARD_GOD'].includes(guard), `${method} ${pattern}`);
        if (security.length === 1 && 'token' in security[0]) {
            const answer = await stack.call({ method, path: pattern.replace(/:\w+/g, '1'), body: method === 'GET' ? undefined : {} });
            assert.equal(answer.status, 401, `${method} ${pattern}`);
        }
    }
});

test('limits_of_bodies_are_the_settings', async () => {
    const { paths } = JSON.parse(text);
    assert.match(paths['/api/track/pageview'].post.requestBody.description, /At most 8 KiB/);
    assert.equal(paths['/server/ping'].get.requestBody, undefined);
});

const contents = () => {
    const { paths } = JSON.parse(text);
    return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).flatMap(([method, { requestBody, responses }]) => [
        [`${method} ${path} takes`, requestBody?.content ?? {}],
        ...Object.entries(responses).map(([status, answer]) => [`${method} ${path} ${status}`, answer.content ?? {}]),
    ]).flatMap(([where, content]) => Object.entries(content).map(([media, { schema }]) => ({ where, media, schema }))));
};

test('no_schema_is_empty', () => {
    const { components } = JSON.parse(text);
    assert.ok(!text.includes('"schema":{}'));
    assert.ok(contents().length > 80);
    for (const { where, media, schema } of contents()) {
        for (const one of schema.oneOf ?? [schema]) {
            const said = one.$ref ? components.schemas[one.$ref.replace('#/components/schemas/', '')] : one;
            assert.ok(['object', 'array', 'string'].includes(said?.type), `${where} ${media}`);
            assert.equal(said.type === 'string', !media.endsWith('json'), `${where} ${media}`);
        }
    }
});

test('what_routes_of_api_take_and_answer_has_a_schema', async () => {
    const { paths, components } = JSON.parse(text);
    // A part of a site has the columns that the site's collections have; a stream is no JSON.
    const free = ['blueprint_export', 'queue_events'];
    const resolve = (schema) => (schema.$ref ? components.schemas[schema.$ref.replace('#/components/schemas/', '')] : schema);
    for (const [path, methods] of Object.entries(paths).filter(([path]) => path.startsWith('/api/'))) {
        for (const [method, { operationId, requestBody, responses }] of Object.entries(methods)) {
            if (requestBody) assert.ok(resolve(requestBody.content['application/json'].schema)?.properties, `${method} ${path}`);
            if (free.includes(operationId)) continue;
            const { schema } = (responses['2XX'] ?? responses[200]).content['application/json'];
            for (const one of schema.oneOf ?? [schema]) assert.ok(resolve(one)?.properties, `${method} ${path}`);
        }
    }
});

test('an_answer_has_the_members_of_its_schema', async () => {
    const { paths, components } = JSON.parse(text);
    for (const path of ['/api/seo/stats', '/api/seo/articles', '/api/campaigns', '/api/admin/jobs', '/api/admin/worklog', '/api/admin/queue', '/server/health', '/server/info']) {
        const answer = await stack.call({ path, token: stack.adminToken });
        assert.equal(answer.status, 200, answer.text);
        const { responses } = paths[path].get;
        const [{ schema: { $ref } }] = Object.values((responses['2XX'] ?? responses[200]).content);
        assert.deepEqual(Object.keys(answer.body), Object.keys(components.schemas[$ref.replace('#/components/schemas/', '')].properties), path);
    }
});

test('a_body_says_what_it_needs', () => {
    const { components } = JSON.parse(text);
    const { publish_post_body: publish, process_queue_post_body: queue } = components.schemas;
    assert.deepEqual(publish.required, ['article_id']);
    assert.deepEqual(publish.properties.status.enum, ['draft', 'published']);
    assert.deepEqual(queue.anyOf, [{ required: ['queue_id'] }, { required: ['queue'] }]);
    assert.equal(queue.properties.queue.deprecated, true);
    assert.equal(queue.additionalProperties, false);
});

test('an_object_whose_members_no_row_names_may_have_any', () => {
    const { event_post_body: event } = JSON.parse(text).components.schemas;
    assert.equal(event.additionalProperties, false);
    assert.equal(event.properties.metadata.additionalProperties, true);
});

test('answers_have_the_status_and_the_media_type_that_is_said', async () => {
    const { paths } = JSON.parse(text);
    const asked = [['/', 302], ['/server/ping', 200], ['/server/health', 200], ['/server/ready', 200], ['/server/specs/oas', 200], ['/metrics', 200], ['/robots.txt', 200]];
    for (const [path, status] of asked) {
        const answer = await stack.call({ path, token: stack.adminToken });
        assert.equal(answer.status, status, path);
        assert.deepEqual(Object.keys(paths[path].get.responses[status].content), [answer.headers['content-type'].split(';')[0]], path);
    }
});

test('sessions_say_what_they_take_and_answer', async () => {
    const { components } = JSON.parse(text);
    const { auth_login_body: login, auth_login_reply: reply } = components.schemas;
    assert.deepEqual(login.required, ['email', 'password']);
    assert.deepEqual(login.properties.mode.enum, ['json', 'cookie', 'session']);
    assert.equal(login.additionalProperties, true);
    assert.deepEqual(Object.keys(reply.properties.data.properties), ['expires', 'refresh_token', 'access_token']);
});
