// Three comforts. Every page works without this file.

// A reader who cannot see the page must hear first that something is wrong.
document.querySelector(".govuk-error-summary")?.focus();

// A form that changes something is sent once, however often its button is pressed.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

// A page brought back by the browser's Back button may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Whoever unfolds the box for another day means to type one, in place of the day that stands there.
for (const folded of document.querySelectorAll(".as-at details")) {
  folded.addEventListener("toggle", () => {
    if (folded.open) folded.querySelector("input:not([type=hidden])").select();
  });
}
