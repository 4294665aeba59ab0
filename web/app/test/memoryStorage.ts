/** Session storage in memory. */

export class MemoryStorage implements Storage {
  [name: string]: unknown;
  /** Whether it takes nothing more. */
  isFull = false;
  /** Characters of values that it takes. */
  capacity = Infinity;
  private readonly values = new Map<string, string>();

  get length(): number {
    return this.values.size;
  }

  key(index: number): string | null {
    return [...this.values.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    const others = [...this.values].filter(([name]) => name !== key);
    const used = others.reduce((sum, [, text]) => sum + text.length, value.length);
    if (this.isFull || used > this.capacity) throw new DOMException('full', 'QuotaExceededError');
    this.values.set(key, value);
  }

  removeItem(key: string): void {
    this.values.delete(key);
  }

  clear(): void {
    this.values.clear();
  }
}
