// Brings the message on this page to its provider at once; without scripts the button does. Who comes back to the page by the
// back button is not sent away again.
(() => {
  "use strict";
  const form = document.querySelector("form[data-onward]");
  const [came] = performance.getEntriesByType("navigation");
  if (form && (!came || came.type !== "back_forward")) form.submit();
})();
