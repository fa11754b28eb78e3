// The keys n and p, or j and k, go to the next and the previous finding; o opens the differences behind it.
document.addEventListener('keydown', function (event) {
  if (event.ctrlKey || event.metaKey || event.altKey) { return; }
  var cards = Array.from(document.querySelectorAll('.card'));
  var at = cards.findIndex(function (card) { return card.contains(document.activeElement); });
  var step = {n: 1, j: 1, p: -1, k: -1}[event.key];
  if (step && cards.length > 0) {
    var next = at < 0 ? (step > 0 ? 0 : cards.length - 1) : Math.min(cards.length - 1, Math.max(0, at + step));
    cards[next].focus({preventScroll: true});
    cards[next].scrollIntoView({block: 'start'});
  }
  if (event.key === 'o' && at >= 0) {
    var raw = cards[at].querySelector('details');
    if (raw) { raw.open = !raw.open; }
  }
});
