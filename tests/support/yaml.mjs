import assert from 'node:assert/strict';

/** Block YAML as god writes it; nothing else. */
export function readYaml(text) {
    const lines = text.split('\n').slice(0, -1).map((line) => {
        const spaces = line.match(/^ */)[0].length;
        return { spaces, rest: line.slice(spaces) };
    });
    let at = 0;
    const scalar = (word) => {
        if (/^(["[{].*|null|true|false|-?\d+(\.\d+)?)$/.test(word)) return JSON.parse(word);
        return word;
    };
    const node = (spaces) => (lines[at].rest.startsWith('- ') ? array(spaces) : object(spaces));
    function array(spaces) {
        const values = [];
        while (at < lines.length && lines[at].spaces === spaces && lines[at].rest.startsWith('- ')) {
            lines[at] = { spaces: spaces + 2, rest: lines[at].rest.slice(2) };
            values.push(/^("[^"]*"|\w[^:"]*):( |$)|^- /.test(lines[at].rest) ? node(spaces + 2) : scalar(lines[at++].rest));
        }
        return values;
    }
    function object(spaces) {
        const value = {};
        while (at < lines.length && lines[at].spaces === spaces && !lines[at].rest.startsWith('- ')) {
            const [, key, rest] = lines[at].rest.match(/^("[^"]*"|[^:]+):(?: (.*))?$/);
            at++;
            value[scalar(key)] = rest === undefined ? node(lines[at].spaces) : scalar(rest);
        }
        return value;
    }
    const value = node(0);
    assert.equal(at, lines.length, `stopped at line ${at + 1}: ${JSON.stringify(lines[at])}`);
    return value;
}
