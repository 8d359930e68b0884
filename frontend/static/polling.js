// Asking again while somebody looks and anything may still change.

// An answer that takes long is asked for so seldom that making it takes one part in so many of the time.
const LOAD_SHARE = 20;

export class Polling {
  // ask() returns whether more may come.
  constructor(ask, interval) {
    this.ask = ask;
    this.interval = interval;
    this.due = Infinity;
    this.onVisible = () => this.wait();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  close() {
    this.due = Infinity;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  async now() {
    clearTimeout(this.timer);
    this.due = Infinity;
    const start = performance.now();
    if (await this.ask()) this.after(performance.now() - start);
  }

  after(took = 0) {
    this.due = performance.now() + Math.max(this.interval, LOAD_SHARE * took);
    this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    if (!document.hidden && this.due < Infinity) this.timer = setTimeout(() => this.now(), this.due - performance.now());
  }
}
