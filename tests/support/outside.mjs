// What stands outside of Spark in tests: a web server that is called, and an SMTP sink.

import http from 'node:http';
import net from 'node:net';

/** Answers POST /path with what `plan` has for the path, one after the other; the last one stays. */
export async function startWeb() {
    const calls = [];
    const plan = new Map();
    const server = http.createServer(async (request, response) => {
        let text = '';
        for await (const part of request) text += part;
        const path = request.url.split('?')[0];
        calls.push({ path, url: request.url, method: request.method, headers: request.headers, text });
        const steps = plan.get(path) ?? [{}];
        const { status = 200, headers = {}, body = '{}' } = steps.length > 1 ? steps.shift() : steps[0];
        if (status === 'hang') return;
        response.writeHead(status, headers).end(body);
    });
    await new Promise((resume) => server.listen(0, '127.0.0.1', resume));
    const { port } = server.address();
    return { calls, plan, port, url: `http://127.0.0.1:${port}`, at: (path) => calls.filter((call) => call.path === path),
        stop: () => new Promise((resume) => { server.close(resume); server.closeAllConnections(); }) };
}

/** Takes mail; `refusals` are answers to RCPT, used up one by one. */
export async function startRelay() {
    const mails = [];
    const refusals = [];
    const server = net.createServer((socket) => {
        let buffered = '';
        let mail = { to: [] };
        let isData = false;
        const say = (line) => socket.write(`${line}\r\n`);
        say('220 sink');
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
            buffered += chunk;
            for (let end; (end = buffered.indexOf(isData ? '\r\n.\r\n' : '\r\n')) >= 0;) {
                const line = buffered.slice(0, end);
                buffered = buffered.slice(end + (isData ? 5 : 2));
                if (isData) {
                    mails.push({ ...mail, text: line });
                    mail = { to: [] };
                    isData = false;
                    say('250 taken');
                } else if (/^MAIL FROM:/i.test(line)) {
                    mail = { from: line, to: [] };
                    say('250 ok');
                } else if (/^RCPT TO:/i.test(line)) {
                    const refusal = refusals.shift();
                    if (!refusal) mail.to.push(line.replace(/^RCPT TO:<(.*)>.*$/i, '$1'));
                    say(refusal ?? '250 ok');
                } else if (/^DATA/i.test(line)) {
                    isData = true;
                    say('354 go on');
                } else if (/^QUIT/i.test(line)) {
                    say('221 bye');
                    socket.end();
                } else say('250 ok');
            }
        });
    });
    await new Promise((resume) => server.listen(0, '127.0.0.1', resume));
    return { mails, refusals, url: `smtp://127.0.0.1:${server.address().port}`, stop: () => new Promise((resume) => server.close(resume)) };
}
