// Samples of the microphone as 16 bits, a tenth of a second a message, and their level.
class Take extends AudioWorkletProcessor {
  constructor() {
    super();
    this.room = new Int16Array(Math.round(sampleRate / 10));
    this.n = 0;
    this.power = 0;
  }
  process(inputs) {
    const x = inputs[0] && inputs[0][0];
    if (!x) return true;
    for (const value of x) {
      this.power += value * value;
      this.room[this.n++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
      if (this.n < this.room.length) continue;
      const whole = this.room.slice();
      this.port.postMessage({samples: whole.buffer, level: Math.sqrt(this.power / this.n)}, [whole.buffer]);
      this.n = this.power = 0;
    }
    return true;
  }
}
registerProcessor('take', Take);
