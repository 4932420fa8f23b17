
// Numbers and names as they are shown. Text from the data is put into the page as text alone, never as HTML.

const NONE = "\u2013";
const ARM_NAMES = ["red", "blue"];

const minus = (text) => text.replace("-", "\u2212");
const fixed = (x, digits) => (Number.isFinite(x) ? minus(x.toFixed(digits)) : NONE);
const whole = (n) => n.toLocaleString("en-US").replaceAll(",", "\u202f");

// A probability, to two digits.
function probability(p) {
  if (!Number.isFinite(p)) return NONE;
  return p === 0 || p >= 0.001 ? p.toFixed(p >= 0.1 || p === 0 ? 2 : 4) : minus(p.toExponential(1));
}

const counted = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;

const flagNames = (index, bits) => index.flags.filter(([bit]) => bits & bit).map(([, name]) => name);

// The date of a local (UTC+8) Modified Julian Minute, in UTC.
function dateOfMinute(lmjm) {
  const date = new Date((lmjm - 40587 * 1440 - 480) * 60000);
  return Number.isFinite(date.getTime()) ? date.toISOString().slice(0, 16).replace("T", " ") : NONE;
}

// An element with properties and what is in it; strings become text.
function make(tag, properties = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element[name] = value;
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...inside);
  return element;
}

const byId = (id) => document.getElementById(id);
