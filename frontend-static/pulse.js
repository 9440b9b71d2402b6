// The line of jobs a second: one sample a second, newest at the right.

const samplesMax = 120;
const width = 600;
const height = 120;
const margin = 6;

export class Pulse {
    #samples = [];
    #line;
    #area;

    constructor(svg) {
        this.#line = svg.querySelector('.line');
        this.#area = svg.querySelector('.area');
    }

    clear() {
        this.#samples = [];
        this.#draw();
    }

    add(value) {
        this.#samples.push(value);
        if (this.#samples.length > samplesMax) this.#samples.shift();
        this.#draw();
    }

    #draw() {
        if (this.#samples.length === 0) {
            this.#line.removeAttribute('d');
            this.#area.removeAttribute('d');
            return;
        }
        const top = Math.max(1, ...this.#samples);
        const step = width / (samplesMax - 1);
        const first = width - (this.#samples.length - 1) * step;
        const points = this.#samples.map((value, i) => {
            const x = first + i * step;
            const y = height - margin - (value / top) * (height - 2 * margin);
            return `${x.toFixed(1)} ${y.toFixed(1)}`;
        });
        const line = `M${points.join('L')}`;
        this.#line.setAttribute('d', line);
        this.#area.setAttribute('d', `${line}L${width} ${height}L${first.toFixed(1)} ${height}Z`);
    }
}
