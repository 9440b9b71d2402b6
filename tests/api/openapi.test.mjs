// The description of the surface: it is OpenAPI, a linter finds nothing, and it names what is there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createConfig, lintFromString } from '@redocly/openapi-core';

import { readRoutes, startApi } from '../support/api.mjs';

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
