// What every view needs of the two libraries, in one place.
import { h, render, Fragment } from "preact";
import htm from "htm";

export { render, Fragment };
export * from "preact/hooks";
export const html = htm.bind(h);
