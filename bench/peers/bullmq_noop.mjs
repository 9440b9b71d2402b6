/*
 * How fast BullMQ runs jobs that do nothing.
 *
 *   node bullmq_noop.mjs REDIS_SOCKET_OR_URL JOBS CONCURRENCY PROCESSES
 *
 * Fills a queue with jobs of a 256-byte payload first, then starts the workers and measures from
 * the first job that ends to the last. Prints one line of JSON. Options are BullMQ's own defaults
 * except for those of the article queue: 3 attempts, exponential back-off, completed jobs removed
 * beyond 100.
 */
import { fork } from "node:child_process";
import { Queue, Worker } from "bullmq";

const [redis, jobs, concurrency, processes, role] = process.argv.slice(2);
const queueName = "bench-noop";
const bulk = 1000;
const connection = redis.startsWith("/")
    ? { path: redis, maxRetriesPerRequest: null }
    : { url: redis, maxRetriesPerRequest: null };
const jobOptions = {
    attempts: 3,
    backoff: { type: "exponential", delay: 1000 },
    removeOnComplete: 100,
    removeOnFail: 1000,
};

async function fill(queue, total) {
    const payload = { text: "x".repeat(256) };
    for (let done = 0; done < total; done += bulk) {
        const size = Math.min(bulk, total - done);
        await queue.addBulk(
            Array.from({ length: size }, () => ({ name: "noop", data: payload, opts: jobOptions })),
        );
    }
}

const now = () => performance.timeOrigin + performance.now();

/* A worker process: counts, and tells its parent every 20 ms how far it is and since when. */
async function work() {
    const state = { ended: 0, first: 0, last: 0 };
    let told = 0;
    const worker = new Worker(queueName, async () => {}, {
        connection,
        concurrency: Number(concurrency),
    });
    worker.on("completed", () => {
        state.ended += 1;
        state.last = now();
        if (state.first === 0) state.first = state.last;
    });
    const ticker = setInterval(() => {
        if (state.ended === told) return;
        told = state.ended;
        process.send(state);
    }, 20);
    process.once("message", async () => {
        const { user, system } = process.cpuUsage();
        clearInterval(ticker);
        process.send({ cpu: user + system });
        await worker.close();
        process.disconnect();
    });
}

/* Resolves with the newest state of every worker once they have ended all jobs together. */
function allEnded(children) {
    const states = new Map();
    return new Promise((resolve, reject) => {
        for (const child of children) {
            child.on("message", (state) => {
                states.set(child.pid, state);
                const sum = [...states.values()].reduce((total, { ended }) => total + ended, 0);
                if (sum >= Number(jobs)) resolve([...states.values()]);
            });
            child.on("exit", (code) => reject(new Error(`a worker ended with status ${code}`)));
        }
    });
}

/* Stops a worker; resolves with the CPU microseconds that it used. */
function stop(child) {
    return new Promise((resolve) => {
        child.removeAllListeners();
        child.on("message", ({ cpu }) => {
            if (cpu !== undefined) resolve(cpu);
        });
        child.send("stop");
    });
}

async function lead() {
    const queue = new Queue(queueName, { connection });
    await queue.obliterate({ force: true });
    await fill(queue, Number(jobs));

    const args = [redis, jobs, concurrency, processes, "worker"];
    const script = new URL(import.meta.url).pathname;
    const children = Array.from({ length: Number(processes) }, () => fork(script, args));
    const states = await allEnded(children);
    const cpu = await Promise.all(children.map(stop));

    const first = Math.min(...states.map((state) => state.first));
    const last = Math.max(...states.map((state) => state.last));
    const seconds = (last - first) / 1000;
    console.log(
        JSON.stringify({
            jobs: Number(jobs),
            seconds,
            rate: Number(jobs) / seconds,
            client_us: cpu.reduce((total, part) => total + part, 0) / Number(jobs),
        }),
    );
    await queue.obliterate({ force: true });
    await queue.close();
}

if (role === "worker") await work();
else await lead();
