/** Files on their way to the demo, for the options of commands and the fields of forms. */

import { fileSize } from "./embeds.js";

/**
 * @typedef {import("./types.js").Attachment} Attachment
 * @typedef {{file: Attachment} | {problem: string}} Upload
 */

const LOST = "The file could not be sent to the demo. Is it still running?";
export const UPLOADING = "The file is still being uploaded.";

/**
 * Upload a file, which nobody else gets to see by that.
 *
 * @param {import("./state.js").State} state whose person uploads it, to the place that is open
 * @param {File} file
 * @returns {Promise<Upload>}
 */
export async function upload(state, file) {
  if (file.size > state.uploadBytes) {
    return { problem: `Your file is too powerful! The largest may have ${fileSize(state.uploadBytes)}.` };
  }
  const query = new URLSearchParams({ person: state.me.id, channel: state.open ?? "", name: file.name });
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  try {
    const answer = await fetch(`files/?${query}`, { method: "POST", body: file, headers });
    const told = await answer.json();
    return told.ok ? { file: told.file } : { problem: told.sentence };
  } catch {
    return { problem: LOST };
  }
}

/** @param {Attachment} file */
export function fileWords(file) {
  return `${file.name} (${fileSize(file.size)})`;
}
