// Sessions without cookies, /users/me, and what the admin app asks at its start.

import { secrets } from '../../support/stack.mjs';
import { tokenOf } from '../pair.mjs';

const token = tokenOf('admin');
const login = { email: secrets.ADMIN_EMAIL, password: secrets.ADMIN_PASSWORD };
const LOGIN = 'public POST /auth/login';
const bodies = (prefix, line, list) => Object.fromEntries(list.map((body) => [`${prefix} ${JSON.stringify(body)}`, [[line, body]]]));

export default {
    ...bodies('login:', LOGIN, [login, { ...login, mode: 'json' }, { ...login, mode: 'cookie' }, { ...login, mode: 'session' }, { ...login, mode: 'x' }, { ...login, email: login.email.toUpperCase() }, { ...login, password: 'wrong' },
        { ...login, email: 'nobody@example.com' }, { ...login, otp: '123456' }, { ...login, more: 1 }, { email: login.email }, { password: 'x' }, {}, { ...login, email: 'zz' }, { ...login, email: 'a b@example.com' }]),
    'login: no body': [LOGIN],
    'login: another provider': [['public POST /auth/login/nope', login]],
    'login: the token works': [[LOGIN, login, { keep: 'in' }], '{in.data.access_token} GET /users/me?fields=email'],
    'refresh: a token is used once': [[LOGIN, login, { keep: 'in' }], ['public POST /auth/refresh', { refresh_token: '{in.data.refresh_token}' }, { keep: 'next' }], ['public POST /auth/refresh', { refresh_token: '{in.data.refresh_token}' }],
        ['public POST /auth/refresh', { refresh_token: '{next.data.refresh_token}', mode: 'json' }]],
    'refresh: to the mode cookie': [[LOGIN, login, { keep: 'in' }], ['public POST /auth/refresh', { refresh_token: '{in.data.refresh_token}', mode: 'cookie' }], ['public POST /auth/refresh', { refresh_token: '{in.data.refresh_token}', mode: 'session' }]],
    ...bodies('refresh:', 'public POST /auth/refresh', [{}, { mode: 'json' }, { mode: 'cookie' }, { mode: 'session' }, { mode: 'x' }, { refresh_token: 'wrong' }, { refresh_token: 'wrong', mode: 'json' }, { refresh_token: '' }, { refresh_token: null }]),
    ...bodies('logout:', 'public POST /auth/logout', [{}, { mode: 'json' }, { mode: 'session' }, { refresh_token: 'wrong' }, { refresh_token: 'wrong', mode: 'cookie' }]),
    'logout: the refresh token ends, the access token does not': [[LOGIN, login, { keep: 'in' }], ['public POST /auth/logout', { refresh_token: '{in.data.refresh_token}' }], ['public POST /auth/refresh', { refresh_token: '{in.data.refresh_token}' }],
        '{in.data.access_token} GET /users/me?fields=email'],
    'token: bad ones are refused everywhere': ['{nonsense} GET /items/labels', '{nonsense} GET /server/info', '{nonsense} GET /nowhere', '{nonsense} GET /server/ping', '{nonsense} GET /auth'],
    'token: two ways at once': [`admin GET /users/me?access_token=${token}`],
    'token: in the query': [`public GET /users/me?fields=email&access_token=${token}`, 'public GET /users/me?access_token=nonsense', 'public GET /users/me?access_token='],
    'token: the scheme': [['public GET /users/me?fields=email', undefined, { headers: { authorization: `bearer ${token}` } }], ['public GET /users/me', undefined, { headers: { authorization: `Basic ${token}` } }],
        ['public GET /users/me', undefined, { headers: { authorization: `Bearer ${token} x` } }], ['public GET /users/me', undefined, { headers: { authorization: 'Bearer' } }]],
    'token: a cookie that is none': [['public GET /items/labels', undefined, { headers: { cookie: 'directus_session_token=garbage' } }], ['public GET /server/info', undefined, { headers: { cookie: 'directus_session_token=' } }],
        ['admin GET /users/me?fields=email', undefined, { headers: { cookie: 'directus_session_token=garbage' } }], ['public GET /server/ping', undefined, { headers: { cookie: 'directus_session_token=garbage' } }]],
    'providers': ['public GET /auth', 'public GET /auth?sessionOnly', 'GET /auth?sessionOnly=true'],
    'me: anonymous': ['public GET /users/me', ['public PATCH /users/me', { title: 'x' }], ['public PATCH /users/me/track/page', { last_page: '/x' }]],
    'me: as the administrator': ['GET /users/me?fields=id,email,first_name,last_name,status,role,password,provider,text_direction', 'GET /users/me?fields=email,role.name', 'HEAD /users/me?fields=email', 'GET /users/me/?fields=email', 'GET /Users/Me?fields=email'],
    'me: refusals of a query': ['GET /users/me?limit=x', 'GET /users/me?fields=nope', 'GET /users/me?fields=role.nope', 'editor GET /users/me?limit=x'],
    'me: what one may read': ['editor GET /users/me', 'editor GET /users/me?fields=first_name', 'editor GET /users/me?fields=last_name', 'editor GET /users/me?fields=*', 'editor GET /users/me?fields=role.name'],
    'me: a change': [['PATCH /users/me?fields=title', { title: 'Chief' }], 'GET /users/me?fields=title', ['PATCH /users/me?fields=title', {}], ['PATCH /users/me?fields=title', { nope: 1 }], ['PATCH /users/me', { email: 'not an address' }]],
    'me: what one may change': [['editor PATCH /users/me?fields=first_name', { first_name: 'New' }], ['editor PATCH /users/me', { last_name: 'New' }], ['editor PATCH /users/me', { role: null }]],
    'me: the last page': [['PATCH /users/me/track/page', { last_page: '/content/articles' }], 'GET /users/me?fields=last_page', ['PATCH /users/me/track/page', {}], ['PATCH /users/me/track/page', { last_page: null }], ['PATCH /users/me/track/page', { last_page: '' }],
        ['editor PATCH /users/me/track/page', { last_page: '/x', first_name: 'no' }]],
    'server: methods and paths': ['POST /server/ping', 'PATCH /server/info', 'PUT /items/labels', 'GET /auth/login', 'DELETE /auth', 'public GET /nowhere', 'HEAD /server/ping'],
    'server: setup': [['public POST /server/setup', {}], ['POST /server/setup', { admin: { email: 'x@example.com', password: 'password-1' } }]],
    'server: extensions': ['GET /extensions', 'public GET /extensions', 'editor GET /extensions'],
};
