interface Shelf {
  cheese: string;
}

export class NoCheese extends Error {
  constructor({ cheese }: Shelf) {
    super(`no ${cheese}`, { cause: new RangeError("an empty shelf") });
  }
}

export function open(cheese: string): never {
  throw new NoCheese({ cheese });
}
