/** Tells the page that the box no longer knows its session; event `ended`. */
export const sessionEnded = new EventTarget();
