// Numbers and times as people read them.

const whole = new Intl.NumberFormat('en');
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

const steps = [
    ['second', 60],
    ['minute', 60],
    ['hour', 24],
    ['day', 30],
    ['month', 12],
    ['year', Infinity],
];

export const count = (value) => (Number.isFinite(value) ? whole.format(value) : '–');

export const rate = (value) => (value >= 100 ? whole.format(Math.round(value)) : tenth.format(value));

/** "1 word", "2,000 words" */
export const amount = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** "3 minutes ago" */
export function ago(date, now = Date.now()) {
    let value = Math.min(0, (date.getTime() - now) / 1000); // our clock may be behind the server's
    if (value > -10) return 'just now';
    for (const [unit, size] of steps) {
        if (Math.abs(value) < size) return relative.format(Math.trunc(value), unit);
        value /= size;
    }
    return '';
}

export const moment = (date) => exact.format(date);

/** "3 min", "2 h 5 min", "4 d 3 h" */
export function duration(seconds) {
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    if (minutes < 1) return `${Math.max(0, Math.floor(seconds))} s`;
    if (hours < 1) return `${minutes} min`;
    if (hours < 24) return `${hours} h ${minutes % 60} min`;
    return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
