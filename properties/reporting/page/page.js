(function () {
  var steps = Array.prototype.slice.call(document.querySelectorAll("section.step"));
  var ways = { ArrowRight: 1, ArrowLeft: -1, j: 1, k: -1 };
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in ways)) return;
    var at = steps.indexOf(document.activeElement);
    if (at < 0) at = ways[event.key] > 0 ? -1 : steps.length;
    var to = steps[at + ways[event.key]];
    if (!to) return;
    event.preventDefault();
    to.focus({ preventScroll: true });
    to.scrollIntoView();
  });
})();
