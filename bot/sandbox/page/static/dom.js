/**
 * Elements from descriptions, and the least change from one description to the next.
 *
 * Everything on the page is made here: text becomes text nodes, whatever it holds, and never markup. A description that
 * grows by a few words changes one text node and nothing else, so that a reply can stream without flicker.
 *
 * @typedef {{tag: string, props: Record<string, any>, children: VNode[]}} VElement
 * @typedef {string | VElement} VNode
 * @typedef {VNode | number | null | undefined | false | readonly any[]} Child
 */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path"]);
/** Attributes that would run or style something; the page has no use for them. */
const FORBIDDEN = /^on|^style$|^srcdoc$/i;

/**
 * Describe an element. `vars` in the properties are custom properties of its style; `key` keeps two elements of one tag
 * from being taken for the same one.
 *
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...Child} children
 * @returns {VElement}
 */
export function h(tag, props, ...children) {
  /** @type {VNode[]} */
  const flat = [];
  flatten(children, flat);
  return { tag, props: props ?? {}, children: flat };
}

/** @param {Child[]} children @param {VNode[]} into */
function flatten(children, into) {
  for (const child of children) {
    if (Array.isArray(child)) {
      flatten(child, into);
    } else if (typeof child === "object" && child !== null) {
      into.push(/** @type {VElement} */ (child));
    } else if (child !== null && child !== undefined && child !== false && child !== "") {
      const last = into.length - 1;
      if (typeof into[last] === "string") {
        into[last] += String(child);
      } else {
        into.push(String(child));
      }
    }
  }
}

/**
 * Make the node of a description.
 *
 * @param {VNode} vnode
 * @returns {Node}
 */
export function build(vnode) {
  if (typeof vnode === "string") {
    return document.createTextNode(vnode);
  }
  const { tag } = vnode;
  const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(vnode.props)) {
    setProp(node, name, value);
  }
  for (const child of vnode.children) {
    node.appendChild(build(child));
  }
  return node;
}

/**
 * Make the element of a description, where its owner goes on by hand.
 *
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function element(tag, props, ...children) {
  return /** @type {HTMLElement} */ (build(h(tag, props, ...children)));
}

/** The children of one element, kept in step with their description. Nobody else may add or remove any. */
export class Mount {
  /** @param {Element} parent an empty element */
  constructor(parent) {
    this.parent = parent;
    /** @type {VNode[]} */
    this.shown = [];
  }

  /** @param {...Child} children */
  show(...children) {
    /** @type {VNode[]} */
    const next = [];
    flatten(children, next);
    patchChildren(this.parent, this.shown, next);
    this.shown = next;
  }
}

/** @param {Element} parent @param {VNode[]} before @param {VNode[]} after */
function patchChildren(parent, before, after) {
  const shared = Math.min(before.length, after.length);
  let node = parent.firstChild;
  for (let index = 0; index < shared; index += 1) {
    const current = /** @type {Node} */ (node);
    node = current.nextSibling;
    patchNode(current, before[index], after[index]);
  }
  for (const vnode of after.slice(shared)) {
    parent.appendChild(build(vnode));
  }
  for (let left = before.length - shared; left > 0; left -= 1) {
    const current = /** @type {ChildNode} */ (node);
    node = current.nextSibling;
    current.remove();
  }
}

/** @param {Node} node @param {VNode} before @param {VNode} after */
function patchNode(node, before, after) {
  if (before === after) {
    return;
  }
  if (typeof before === "string" && typeof after === "string") {
    setText(/** @type {Text} */ (node), after);
  } else if (
    typeof before === "string" ||
    typeof after === "string" ||
    before.tag !== after.tag ||
    before.props.key !== after.props.key
  ) {
    /** @type {ChildNode} */ (node).replaceWith(build(after));
  } else {
    const element = /** @type {Element} */ (node);
    patchProps(element, before.props, after.props);
    patchChildren(element, before.children, after.children);
  }
}

/**
 * Appending leaves a reader's selection as it is.
 *
 * @param {Text} node @param {string} text
 */
function setText(node, text) {
  if (node.data === text) {
    return;
  }
  if (text.startsWith(node.data)) {
    node.appendData(text.slice(node.data.length));
  } else {
    node.data = text;
  }
}

/** @param {Element} node @param {Record<string, any>} before @param {Record<string, any>} after */
function patchProps(node, before, after) {
  for (const [name, value] of Object.entries(after)) {
    if (name === "vars" || before[name] !== value) {
      setProp(node, name, value);
    }
  }
  for (const name of Object.keys(before)) {
    if (!(name in after)) {
      setProp(node, name, null);
    }
  }
}

/** @param {Element} node @param {string} name @param {any} value */
function setProp(node, name, value) {
  if (name === "key") {
    return;
  }
  if (name === "vars") {
    const style = /** @type {HTMLElement} */ (node).style;
    for (const [variable, word] of Object.entries(value ?? {})) {
      style.setProperty(variable, String(word));
    }
    return;
  }
  if (FORBIDDEN.test(name)) {
    throw new Error(`the attribute ${name} is not for this page`);
  }
  if (value === null || value === undefined || value === false) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * Find an element of the page that has to be there.
 *
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof HTMLElement)) {
    throw new Error(`nothing on the page is ${selector}`);
  }
  return found;
}

/**
 * Return the nearest element around an event's target that a selector names.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function hit(event, selector) {
  const target = event.target;
  return target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(selector)) : null;
}
