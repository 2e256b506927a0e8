// Preact with htm: markup in template strings, no build step.  Text goes into text nodes only, so a name is never markup.
import { h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { render };
export { useEffect, useMemo, useRef, useState } from "./vendor/hooks.js";
