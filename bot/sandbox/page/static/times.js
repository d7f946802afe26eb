/** Times as Discord's client writes them, in the reader's own zone and habit. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit" });
const clockWithSeconds = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit", second: "2-digit" });
const shortDate = new Intl.DateTimeFormat([], { day: "2-digit", month: "2-digit", year: "numeric" });
const longDate = new Intl.DateTimeFormat([], { day: "numeric", month: "long", year: "numeric" });
const full = new Intl.DateTimeFormat([], {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "numeric",
  minute: "2-digit",
});
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** @type {[number, Intl.RelativeTimeFormatUnit][]} */
const UNITS = [
  [365 * DAY, "year"],
  [30 * DAY, "month"],
  [DAY, "day"],
  [HOUR, "hour"],
  [MINUTE, "minute"],
  [SECOND, "second"],
];

/** @param {number} at @returns {string} the time of day */
export function timeOfDay(at) {
  return clock.format(at);
}

/** @param {number} at @returns {string} the time of day, to the second */
export function timeToTheSecond(at) {
  return clockWithSeconds.format(at);
}

/** @param {number} at @returns {string} the whole date, for tooltips */
export function fullDate(at) {
  return full.format(at);
}

/** @param {number} at @returns {string} a day, as it stands between the messages of two days */
export function dayName(at) {
  return longDate.format(at);
}

/**
 * Return when a message was written, as it stands beside its author's name.
 *
 * @param {number} at
 * @param {number} now
 * @returns {string}
 */
export function messageTime(at, now) {
  if (sameDay(at, now)) {
    return `Today at ${clock.format(at)}`;
  }
  if (sameDay(at, now - DAY)) {
    return `Yesterday at ${clock.format(at)}`;
  }
  return `${shortDate.format(at)} ${clock.format(at)}`;
}

/** @param {number} one @param {number} other @returns {boolean} */
export function sameDay(one, other) {
  const a = new Date(one);
  const b = new Date(other);
  return a.getDate() === b.getDate() && a.getMonth() === b.getMonth() && a.getFullYear() === b.getFullYear();
}

/**
 * Return a time in one of the styles of `<t:…:style>`.
 *
 * @param {number} at
 * @param {string} style
 * @param {number} now
 * @returns {string}
 */
export function styledTime(at, style, now) {
  switch (style) {
    case "t":
      return clock.format(at);
    case "T":
      return clockWithSeconds.format(at);
    case "d":
      return shortDate.format(at);
    case "D":
      return longDate.format(at);
    case "F":
      return full.format(at);
    case "R":
      return fromNow(at, now);
    default:
      return `${longDate.format(at)} ${clock.format(at)}`;
  }
}

/** @param {number} at @param {number} now @returns {string} */
function fromNow(at, now) {
  const distance = at - now;
  for (const [size, unit] of UNITS) {
    if (Math.abs(distance) >= size) {
      return relative.format(Math.round(distance / size), unit);
    }
  }
  return relative.format(0, "second");
}
