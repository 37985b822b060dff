<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>zigzag</name>
    <message>
        <source>The first %1 of %2 rows.</source>
        <translation>Die ersten %1 von %2 Zeilen.</translation>
    </message>
    <message>
        <source>Numbers</source>
        <translation>Zahlen</translation>
    </message>
    <message>
        <source>The same from the command line</source>
        <translation>Dasselbe auf der Kommandozeile</translation>
    </message>
    <message>
        <source>The map itself</source>
        <translation>Die Karte selbst</translation>
    </message>
    <message>
        <source>As a file: save this text as map.json</source>
        <translation>Als Datei: diesen Text als map.json sichern</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>none: by its config alone</source>
        <translation>keine: nur nach seiner Konfiguration</translation>
    </message>
    <message>
        <source>Shape</source>
        <translation>Form</translation>
    </message>
    <message>
        <source>%1 layers of %2 KV heads</source>
        <translation>%1 Schichten mit %2 KV-Köpfen</translation>
    </message>
    <message>
        <source>Keys and values in</source>
        <translation>Schlüssel und Werte in</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>Streaming</translation>
    </message>
    <message>
        <source>%1 of %2 KV heads (%3), %4 mixed layers</source>
        <translation>%1 von %2 KV-Köpfen (%3), %4 gemischte Schichten</translation>
    </message>
    <message>
        <source>They keep</source>
        <translation>Sie behalten</translation>
    </message>
    <message>
        <source>%1 sink and %2 recent tokens</source>
        <translation>%1 Senken- und %2 letzte Token</translation>
    </message>
    <message>
        <source>a window per layer</source>
        <translation>ein Fenster je Schicht</translation>
    </message>
    <message>
        <source>Chosen by</source>
        <translation>Gewählt von</translation>
    </message>
    <message>
        <source>From scores</source>
        <translation>Aus Scores</translation>
    </message>
    <message>
        <source>Scores shown</source>
        <translation>Gezeigte Scores</translation>
    </message>
    <message>
        <source>As served by</source>
        <translation>Bedient von</translation>
    </message>
    <message>
        <source>Times of</source>
        <translation>Zeiten von</translation>
    </message>
    <message>
        <source>Predictions</source>
        <translation>Vorhersagen</translation>
    </message>
    <message>
        <source>the fit is %1 from its own passes%2</source>
        <translation>die Anpassung liegt %1 neben ihren eigenen Läufen%2</translation>
    </message>
    <message>
        <source>; other programs disturbed the calibration</source>
        <translation>; andere Programme haben die Kalibrierung gestört</translation>
    </message>
    <message>
        <source>Under</source>
        <translation>Unter</translation>
    </message>
    <message>
        <source>Written</source>
        <translation>Geschrieben</translation>
    </message>
    <message>
        <source>By</source>
        <translation>Von</translation>
    </message>
    <message>
        <source>Zigzag Studio, %1</source>
        <translation>Zigzag Studio, %1</translation>
    </message>
    <message>
        <source>%1 does not exist: give a session, a map, scores, a trace, runs, a machine profile, a model (folder, config.json or GGUF file), preset:NAME or bundled:NAME</source>
        <translation>%1 gibt es nicht: Sitzung, Karte, Scores, Trace, Läufe, Maschinenprofil, Modell (Ordner, config.json oder GGUF-Datei), preset:NAME oder bundled:NAME angeben</translation>
    </message>
    <message>
        <source> or </source>
        <translation> oder </translation>
    </message>
    <message>
        <source>Which layers of a language model can stream, what that gains and what it loses.</source>
        <translation>Welche Schichten eines Sprachmodells streamen können, was das bringt und was es kostet.</translation>
    </message>
    <message>
        <source>Sessions, head maps, scores, traces, runs (the JSON of bench and predict), model folders, GGUF files, preset:NAME or bundled:NAME, opened in this order (default: the last session, or bundled:zigzag-tiny).</source>
        <translation>Sitzungen, Kopfkarten, Scores, Traces, Läufe (das JSON von bench und predict), Modellordner, GGUF-Dateien, preset:NAME oder bundled:NAME, in dieser Reihenfolge geöffnet (sonst: die letzte Sitzung oder bundled:zigzag-tiny).</translation>
    </message>
    <message>
        <source>Write a picture of the window to PATH and end.</source>
        <translation>Ein Bild des Fensters nach PATH schreiben und enden.</translation>
    </message>
    <message>
        <source>light, dark or system.</source>
        <translation>light, dark oder system.</translation>
    </message>
    <message>
        <source>Size of the window, such as 1440x900.</source>
        <translation>Größe des Fensters, etwa 1440x900.</translation>
    </message>
    <message>
        <source>Of the window: en or de (default: as the preferences and the desktop say).</source>
        <translation>Des Fensters: en oder de (sonst: wie Einstellungen und Desktop es sagen).</translation>
    </message>
    <message>
        <source>Print the milliseconds from start to first paint and end.</source>
        <translation>Die Millisekunden vom Start bis zum ersten Bild ausgeben und enden.</translation>
    </message>
    <message>
        <source>%1 See --help</source>
        <translation>%1 Siehe --help</translation>
    </message>
    <message>
        <source>--describe %1 is unknown: give man, bash, zsh or fish</source>
        <translation>--describe %1 ist unbekannt: man, bash, zsh oder fish angeben</translation>
    </message>
    <message>
        <source>--screenshot needs the path of the picture to write</source>
        <translation>--screenshot braucht den Pfad des Bildes</translation>
    </message>
    <message>
        <source>--theme %1 is unknown: give light, dark or system</source>
        <translation>--theme %1 ist unbekannt: light, dark oder system angeben</translation>
    </message>
    <message>
        <source>--language %1 is unknown: give %2</source>
        <translation>--language %1 ist unbekannt: %2 angeben</translation>
    </message>
    <message>
        <source>--size %1 is not a size: give width and height in pixels, such as 1440x900</source>
        <translation>--size %1 ist keine Größe: Breite und Höhe in Pixeln angeben, etwa 1440x900</translation>
    </message>
    <message>
        <source>%1: the session is empty; open a model to begin one</source>
        <translation>%1: die Sitzung ist leer; mit einem geöffneten Modell beginnt eine</translation>
    </message>
    <message>
        <source>%1: %2 of %3 questions were answered worse than under full attention</source>
        <translation>%1: %2 von %3 Fragen schlechter beantwortet als mit voller Attention</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 Token</translation>
    </message>
    <message>
        <source>right</source>
        <translation>richtig</translation>
    </message>
    <message>
        <source>full attention, %1</source>
        <translation>volle Attention, %1</translation>
    </message>
    <message>
        <source>this map, %1</source>
        <translation>diese Karte, %1</translation>
    </message>
    <message>
        <source>… and %1 more, in the record&apos;s file</source>
        <translation>… und %1 weitere, in der Datei der Antworten</translation>
    </message>
    <message>
        <source>Task</source>
        <translation>Aufgabe</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Frage</translation>
    </message>
    <message>
        <source>Prompt tokens</source>
        <translation>Token des Prompts</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>Richtig</translation>
    </message>
    <message>
        <source>Score of full attention</source>
        <translation>Punkte mit voller Attention</translation>
    </message>
    <message>
        <source>Answer of full attention</source>
        <translation>Antwort mit voller Attention</translation>
    </message>
    <message>
        <source>Score of the map</source>
        <translation>Punkte der Karte</translation>
    </message>
    <message>
        <source>Answer of the map</source>
        <translation>Antwort der Karte</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>Score</translation>
    </message>
    <message>
        <source>Streaming head</source>
        <translation>Streamender Kopf</translation>
    </message>
    <message>
        <source>Mixed layer</source>
        <translation>Gemischte Schicht</translation>
    </message>
    <message>
        <source>Flipped</source>
        <translation>Vertauscht</translation>
    </message>
    <message>
        <source>Demoted</source>
        <translation>Herabgestuft</translation>
    </message>
    <message>
        <source>Transport cost</source>
        <translation>Transportkosten</translation>
    </message>
    <message>
        <source>Ties</source>
        <translation>Gleichstände</translation>
    </message>
    <message>
        <source>Disturbed</source>
        <translation>Gestört</translation>
    </message>
    <message>
        <source>Floor reached</source>
        <translation>Untergrenze erreicht</translation>
    </message>
    <message>
        <source>Distillation loss</source>
        <translation>Distillationsverlust</translation>
    </message>
    <message>
        <source>Criterion</source>
        <translation>Kriterium</translation>
    </message>
    <message>
        <source>Sparsity</source>
        <translation>Sparsity</translation>
    </message>
    <message>
        <source>Sink</source>
        <translation>Senke</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Letzte</translation>
    </message>
    <message>
        <source>Cut</source>
        <translation>Schnitt</translation>
    </message>
    <message>
        <source>The engine that will serve the map. Memory, needles, searches and sweeps are then as that engine runs the map: without sinks where it keeps none.</source>
        <translation>Die Engine, die die Karte bedienen wird. Speicher, Nadeln, Suchen und Sweeps sind dann so, wie jene Engine die Karte ausführt: ohne Senken, wo sie keine behält.</translation>
    </message>
    <message>
        <source>DuoAttention</source>
        <translation>DuoAttention</translation>
    </message>
    <message>
        <source>The method, and its maps, that choose head by head which ones stream (arXiv 2410.10819). Most layers come out mixed.</source>
        <translation>Das Verfahren und seine Karten, das Kopf für Kopf wählt, wer streamt (arXiv 2410.10819). Die meisten Schichten werden gemischt.</translation>
    </message>
    <message>
        <source>Exclusive map</source>
        <translation>Exklusive Karte</translation>
    </message>
    <message>
        <source>A map without mixed layers: every layer retrieves or streams as a whole, as serving engines run it.</source>
        <translation>Eine Karte ohne gemischte Schichten: jede Schicht behält alles oder streamt als Ganzes, wie Engines sie ausführen.</translation>
    </message>
    <message>
        <source>Full attention</source>
        <translation>Volle Attention</translation>
    </message>
    <message>
        <source>Every head of every layer keeps every key; what each map is held against.</source>
        <translation>Jeder Kopf jeder Schicht behält jeden Schlüssel; daran wird jede Karte gemessen.</translation>
    </message>
    <message>
        <source>Gate</source>
        <translation>Gate</translation>
    </message>
    <message>
        <source>A score that was trained: how much of a head&apos;s full attention the model wants beside its streaming one.</source>
        <translation>Ein trainierter Score: wie viel der vollen Attention eines Kopfes das Modell neben seiner streamenden will.</translation>
    </message>
    <message>
        <source>Head map</source>
        <translation>Kopfkarte</translation>
    </message>
    <message>
        <source>What a map is here: for each KV head of each layer whether it retrieves or streams, with its sinks and its window.</source>
        <translation>Was hier eine Karte ist: für jeden KV-Kopf jeder Schicht, ob er alles behält oder streamt, mit Senken und Fenster.</translation>
    </message>
    <message>
        <source>KV cache</source>
        <translation>KV-Cache</translation>
    </message>
    <message>
        <source>The keys and values of all tokens so far, which every new token reads. Also: KV memory.</source>
        <translation>Schlüssel und Werte aller bisherigen Token, die jedes neue Token liest. Auch: KV-Speicher.</translation>
    </message>
    <message>
        <source>KV head</source>
        <translation>KV-Kopf</translation>
    </message>
    <message>
        <source>A head that has keys and values of its own. With grouped queries several query heads share one.</source>
        <translation>Ein Kopf mit eigenen Schlüsseln und Werten. Bei gruppierten Anfragen teilen sich mehrere Anfrageköpfe einen.</translation>
    </message>
    <message>
        <source>Local layer</source>
        <translation>Lokale Schicht</translation>
    </message>
    <message>
        <source>A layer to which the model&apos;s own files give a window (L). No map changes it, and budgets do not count it.</source>
        <translation>Eine Schicht, der die Dateien des Modells selbst ein Fenster geben (L). Keine Karte ändert sie, und Budgets zählen sie nicht.</translation>
    </message>
    <message>
        <source>Locked layer</source>
        <translation>Gesperrte Schicht</translation>
    </message>
    <message>
        <source>A layer that assigning leaves as it is, because a person said so.</source>
        <translation>Eine Schicht, die das Zuweisen lässt, wie sie ist, weil jemand es so gesagt hat.</translation>
    </message>
    <message>
        <source>Retrieval head</source>
        <translation>Retrieval-Kopf</translation>
    </message>
    <message>
        <source>A KV head that keeps every key, and finds what was said long ago. Also: retrieval layer.</source>
        <translation>Ein KV-Kopf, der jeden Schlüssel behält und findet, was lange zuvor gesagt wurde. Auch: Retrieval-Schicht.</translation>
    </message>
    <message>
        <source>Stand-in</source>
        <translation>Ersatz für Senken</translation>
    </message>
    <message>
        <source>What takes the place of sinks in engines that keep none: a sink logit for each query head and a bias behind the output, calibrated or fitted (the export granite-swa).</source>
        <translation>Was in Engines ohne Senken an deren Stelle tritt: ein Senken-Logit für jeden Anfragekopf und ein Bias hinter der Ausgabe, kalibriert oder angepasst (der Export granite-swa).</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>Urteil</translation>
    </message>
    <message>
        <source>What an engine keeps of a map, said before it is exported: sinks, single heads, freed memory.</source>
        <translation>Was eine Engine von einer Karte behält, gesagt vor dem Export: Senken, einzelne Köpfe, frei werdender Speicher.</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>The latest tokens that a streaming head or a local layer keeps; see Recent.</source>
        <translation>Die letzten Token, die ein streamender Kopf oder eine lokale Schicht behält; siehe Letzte.</translation>
    </message>
    <message>
        <source>Zigzag</source>
        <translation>Zigzag</translation>
    </message>
    <message>
        <source>The method, and its maps, that choose whole layers (ZigzagAttention, arXiv 2508.12407).</source>
        <translation>Das Verfahren und seine Karten, das ganze Schichten wählt (ZigzagAttention, arXiv 2508.12407).</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>Batch</translation>
    </message>
    <message>
        <source>Sequences that are decoded at once.</source>
        <translation>Sequenzen, die zugleich dekodiert werden.</translation>
    </message>
    <message>
        <source>Calibration</source>
        <translation>Kalibrierung</translation>
    </message>
    <message>
        <source>A short measurement of this machine and model, to which the cost model behind all predictions is fitted.</source>
        <translation>Eine kurze Messung dieser Maschine mit diesem Modell, an die das Kostenmodell hinter allen Vorhersagen angepasst wird.</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>How many tokens there are so far; what plots have on their lower axis.</source>
        <translation>Wie viele Token es bisher gibt; die untere Achse der Diagramme.</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>Decode</translation>
    </message>
    <message>
        <source>The phase in which tokens are generated one after the other; see TPOT.</source>
        <translation>Die Phase, in der Token nacheinander erzeugt werden; siehe TPOT.</translation>
    </message>
    <message>
        <source>Fused, two launches, reference</source>
        <translation>Fused, two launches, reference</translation>
    </message>
    <message>
        <source>Ways to run a mixed layer: in one launch with a key range for each head, in one launch for each kind of head, or as the published code does, with copies.</source>
        <translation>Wege, eine gemischte Schicht auszuführen: in einem Aufruf mit einem Schlüsselbereich für jeden Kopf, in einem Aufruf je Art von Kopf, oder mit Kopien wie der veröffentlichte Code.</translation>
    </message>
    <message>
        <source>Kept</source>
        <translation>Aufbewahrt</translation>
    </message>
    <message>
        <source>Times of an earlier calibration, shown until this machine has been calibrated; with them stands where and when they were measured.</source>
        <translation>Zeiten einer früheren Kalibrierung, gezeigt, bis diese Maschine kalibriert ist; dabei steht, wo und wann sie gemessen wurden.</translation>
    </message>
    <message>
        <source>Measured</source>
        <translation>Gemessen</translation>
    </message>
    <message>
        <source>Taken from runs on this machine; the bar is the interquartile range of the repeats.</source>
        <translation>Aus Läufen auf dieser Maschine; der Balken ist der Quartilsabstand der Wiederholungen.</translation>
    </message>
    <message>
        <source>Op</source>
        <translation>Op</translation>
    </message>
    <message>
        <source>One step of a layer, such as a matrix product or attention. Bars and traces are by op, or by group of ops.</source>
        <translation>Ein Schritt einer Schicht, etwa ein Matrixprodukt oder Attention. Balken und Traces sind nach Op oder Gruppe von Ops.</translation>
    </message>
    <message>
        <source>Predicted</source>
        <translation>Vorhergesagt</translation>
    </message>
    <message>
        <source>Computed by the cost model; dashed in plots, hatched in bars.</source>
        <translation>Vom Kostenmodell berechnet; in Diagrammen gestrichelt, in Balken schraffiert.</translation>
    </message>
    <message>
        <source>Prefill</source>
        <translation>Prefill</translation>
    </message>
    <message>
        <source>The phase in which the prompt is read; see TTFT.</source>
        <translation>Die Phase, in der der Prompt gelesen wird; siehe TTFT.</translation>
    </message>
    <message>
        <source>Span</source>
        <translation>Span</translation>
    </message>
    <message>
        <source>One op of one layer in a trace, from its beginning to its end.</source>
        <translation>Eine Op einer Schicht in einem Trace, von ihrem Anfang bis zu ihrem Ende.</translation>
    </message>
    <message>
        <source>Spread</source>
        <translation>Streuung</translation>
    </message>
    <message>
        <source>The interquartile range of a measurement&apos;s repeats. Differences within it say nothing.</source>
        <translation>Der Quartilsabstand der Wiederholungen einer Messung. Unterschiede darin besagen nichts.</translation>
    </message>
    <message>
        <source>Trace</source>
        <translation>Trace</translation>
    </message>
    <message>
        <source>A recorded run: what every op of every layer did when.</source>
        <translation>Ein aufgezeichneter Lauf: was jede Op jeder Schicht wann tat.</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>Time per output token: of one step of decode at a context.</source>
        <translation>Zeit je ausgegebenem Token: eines Decode-Schritts bei einem Kontext.</translation>
    </message>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>Time to first token: of the whole prefill.</source>
        <translation>Zeit bis zum ersten Token: des ganzen Prefill.</translation>
    </message>
    <message>
        <source>Ablation</source>
        <translation>Ablation</translation>
    </message>
    <message>
        <source>A source of scores: each layer streams alone, and what that loses is its score.</source>
        <translation>Eine Quelle von Scores: jede Schicht streamt allein, und was das verliert, ist ihr Score.</translation>
    </message>
    <message>
        <source>Answer loss</source>
        <translation>Antwortverlust</translation>
    </message>
    <message>
        <source>How much less likely the tokens of the right answer become when a layer streams (arXiv 2606.27791).</source>
        <translation>Wie viel unwahrscheinlicher die Token der richtigen Antwort werden, wenn eine Schicht streamt (arXiv 2606.27791).</translation>
    </message>
    <message>
        <source>Attention to needles</source>
        <translation>Attention auf Nadeln</translation>
    </message>
    <message>
        <source>A source of scores: the attention that a head pays to a needle while it is asked for.</source>
        <translation>Eine Quelle von Scores: die Attention, die ein Kopf einer Nadel gibt, während nach ihr gefragt wird.</translation>
    </message>
    <message>
        <source>Depth</source>
        <translation>Tiefe</translation>
    </message>
    <message>
        <source>Where in the text a needle lies: 0 at the beginning, 1 at the end.</source>
        <translation>Wo im Text eine Nadel liegt: 0 am Anfang, 1 am Ende.</translation>
    </message>
    <message>
        <source>Greedy search</source>
        <translation>Greedy-Suche</translation>
    </message>
    <message>
        <source>A source of scores: the layer that loses least streams first, then the next beside it.</source>
        <translation>Eine Quelle von Scores: zuerst streamt die Schicht, die am wenigsten verliert, dann die nächste neben ihr.</translation>
    </message>
    <message>
        <source>KL</source>
        <translation>KL</translation>
    </message>
    <message>
        <source>Kullback-Leibler divergence: how far the distribution of the next token moves from that of full attention; 0 = not at all.</source>
        <translation>Kullback-Leibler-Divergenz: wie weit sich die Verteilung des nächsten Tokens von der voller Attention entfernt; 0 = gar nicht.</translation>
    </message>
    <message>
        <source>Needle</source>
        <translation>Nadel</translation>
    </message>
    <message>
        <source>A key hidden in long text and asked for at its end. Found is what is answered right to the last digit.</source>
        <translation>Ein Schlüssel, in langem Text versteckt und am Ende erfragt. Gefunden ist, was bis zur letzten Ziffer stimmt.</translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation>Perplexität</translation>
    </message>
    <message>
        <source>How surprised the model is by a text: e to the mean loss of its tokens; lower is better.</source>
        <translation>Wie sehr ein Text das Modell überrascht: e hoch mittlerer Verlust seiner Token; kleiner ist besser.</translation>
    </message>
    <message>
        <source>RULER</source>
        <translation>RULER</translation>
    </message>
    <message>
        <source>Published tasks for long contexts, made here from seeds at exactly the length asked for.</source>
        <translation>Veröffentlichte Aufgaben für lange Kontexte, hier aus Startwerten in genau der verlangten Länge gemacht.</translation>
    </message>
    <message>
        <source>Sweep</source>
        <translation>Sweep</translation>
    </message>
    <message>
        <source>Many maps over layer counts and windows, each with what it loses and what a token takes.</source>
        <translation>Viele Karten über Schichtzahlen und Fenster, jede mit dem, was sie verliert, und der Zeit eines Tokens.</translation>
    </message>
    <message>
        <source>Glossary</source>
        <translation>Glossar</translation>
    </message>
    <message>
        <source>Every word of ours that the window uses, as its tooltips say it.</source>
        <translation>Jedes eigene Wort des Fensters, wie seine Tooltips es sagen.</translation>
    </message>
    <message>
        <source>Score (or gate) of a KV head, 0 to 1: how much it needs to see every token. 1 = it retrieves.</source>
        <translation>Score (oder Gate) eines KV-Kopfes, 0 bis 1: wie sehr er jedes Token sehen muss. 1 = er behält alles.</translation>
    </message>
    <message>
        <source>Score of a layer: the mean over its KV heads. Cut: between the layers that would retrieve and those that would stream by these scores, at as many retrieving layers as the map has now. Full bars lie above it.</source>
        <translation>Score einer Schicht: der Mittelwert ihrer KV-Köpfe. Schnitt: zwischen den Schichten, die nach diesen Scores alles behielten, und denen, die streamten, bei so vielen Retrieval-Schichten, wie die Karte jetzt hat. Volle Balken liegen darüber.</translation>
    </message>
    <message>
        <source>KV heads that keep only the first tokens (sink) and the latest ones (recent).</source>
        <translation>KV-Köpfe, die nur die ersten Token (Senke) und die letzten behalten.</translation>
    </message>
    <message>
        <source>Layers with both kinds of heads: serving engines cannot run them as such.</source>
        <translation>Schichten mit beiden Arten von Köpfen: Engines können sie so nicht ausführen.</translation>
    </message>
    <message>
        <source>Flipped: KV heads whose kind differs from what DuoAttention would choose at the same number of streaming heads.</source>
        <translation>Vertauscht: KV-Köpfe, deren Art anders ist, als DuoAttention bei gleich vielen streamenden Köpfen wählen würde.</translation>
    </message>
    <message>
        <source>Demoted: KV heads that retrieve by their score (%1 or more) and yet stream in this map.</source>
        <translation>Herabgestuft: KV-Köpfe, die nach ihrem Score (%1 oder mehr) alles behielten und in dieser Karte doch streamen.</translation>
    </message>
    <message>
        <source>Transport cost: how far the map is from the scores. The sum of the score over streaming heads and of 1 − score over retrieval heads; 0 = every head does what its score says.</source>
        <translation>Transportkosten: wie weit die Karte von den Scores entfernt ist. Die Summe der Scores streamender Köpfe und von 1 − Score der Retrieval-Köpfe; 0 = jeder Kopf tut, was sein Score sagt.</translation>
    </message>
    <message>
        <source>Decisions of the last assignment that fell to the tie rule (lower layer, then lower head), because the scores are equal at the cut.</source>
        <translation>Entscheidungen der letzten Zuweisung, die der Regel für Gleichstände zufielen (niedrigere Schicht, dann niedrigerer Kopf), weil die Scores am Schnitt gleich sind.</translation>
    </message>
    <message>
        <source>Disturbed: other programs used the processor during this measurement, so that it took longer than the machine needs when it is left alone.</source>
        <translation>Gestört: andere Programme haben während dieser Messung den Prozessor benutzt, so dass sie länger dauerte, als die Maschine allein braucht.</translation>
    </message>
    <message>
        <source>Floor reached: the least time that bytes and operations allow on the machine, over the measured time.</source>
        <translation>Untergrenze erreicht: die kleinste Zeit, die Bytes und Operationen auf der Maschine erlauben, durch die gemessene Zeit.</translation>
    </message>
    <message>
        <source>Distillation loss: how far the last hidden states, where answers are predicted, move from those of full attention; 0 = not at all.</source>
        <translation>Distillationsverlust: wie weit sich die letzten verborgenen Zustände, wo Antworten vorhergesagt werden, von denen voller Attention entfernen; 0 = gar nicht.</translation>
    </message>
    <message>
        <source>The rule that chooses which heads stream: by what streaming each head or layer would give up.</source>
        <translation>Die Regel, die wählt, welche Köpfe streamen: nach dem, was Streaming jeden Kopf oder jede Schicht kosten würde.</translation>
    </message>
    <message>
        <source>The share of KV heads that stream.</source>
        <translation>Der Anteil der KV-Köpfe, die streamen.</translation>
    </message>
    <message>
        <source>Sink: how many of the first tokens a streaming head keeps.</source>
        <translation>Senke: wie viele der ersten Token ein streamender Kopf behält.</translation>
    </message>
    <message>
        <source>Recent: how many of the latest tokens a streaming head keeps.</source>
        <translation>Letzte: wie viele der letzten Token ein streamender Kopf behält.</translation>
    </message>
    <message>
        <source>retrieval</source>
        <translation>Retrieval</translation>
    </message>
    <message>
        <source>streaming</source>
        <translation>Streaming</translation>
    </message>
    <message>
        <source>mixed</source>
        <translation>gemischt</translation>
    </message>
    <message>
        <source>local</source>
        <translation>lokal</translation>
    </message>
    <message>
        <source>Layer %1 retrieves</source>
        <translation>Schicht %1 behält alles</translation>
    </message>
    <message>
        <source>Layer %1 streams</source>
        <translation>Schicht %1 streamt</translation>
    </message>
    <message>
        <source>Layer %1 is local</source>
        <translation>Schicht %1 ist lokal</translation>
    </message>
    <message>
        <source>Layer %1 is mixed: %2</source>
        <translation>Schicht %1 ist gemischt: %2</translation>
    </message>
    <message>
        <source>Layer: KV at %1</source>
        <translation>Schicht: KV bei %1</translation>
    </message>
    <message>
        <source>Layer: %1 predicted</source>
        <translation>Schicht: %1 vorhergesagt</translation>
    </message>
    <message>
        <source>Layer: %1 measured</source>
        <translation>Schicht: %1 gemessen</translation>
    </message>
    <message>
        <source>Map: KV at %1</source>
        <translation>Karte: KV bei %1</translation>
    </message>
    <message>
        <source>Map: %1 predicted</source>
        <translation>Karte: %1 vorhergesagt</translation>
    </message>
    <message>
        <source>Map: %1 measured</source>
        <translation>Karte: %1 gemessen</translation>
    </message>
    <message>
        <source>Heads demoted in it</source>
        <translation>Herabgestufte Köpfe in ihr</translation>
    </message>
    <message>
        <source>Its score is %1, number %2 of %3 layers.</source>
        <translation>Ihr Score ist %1, Nummer %2 von %3 Schichten.</translation>
    </message>
    <message>
        <source>%1 %2 above the cut between the %3 layers that retrieve and the others.</source>
        <translation>%1 %2 über dem Schnitt zwischen den %3 Schichten, die alles behalten, und den anderen.</translation>
    </message>
    <message>
        <source>%1 %2 below the cut between the %3 layers that retrieve and the others.</source>
        <translation>%1 %2 unter dem Schnitt zwischen den %3 Schichten, die alles behalten, und den anderen.</translation>
    </message>
    <message>
        <source>It lies %1</source>
        <translation>Sie liegt %1</translation>
    </message>
    <message>
        <source>The model&apos;s own file gives it a window: no map changes it, and no search ranks it.</source>
        <translation>Die Datei des Modells selbst gibt ihr ein Fenster: keine Karte ändert sie, und keine Suche ordnet sie ein.</translation>
    </message>
    <message>
        <source>By these scores alone it would retrieve.</source>
        <translation>Nach diesen Scores allein würde sie alles behalten.</translation>
    </message>
    <message>
        <source>By these scores alone it would stream.</source>
        <translation>Nach diesen Scores allein würde sie streamen.</translation>
    </message>
    <message>
        <source>There are no scores yet: nothing says whether it needs to see everything.</source>
        <translation>Noch gibt es keine Scores: nichts sagt, ob sie alles sehen muss.</translation>
    </message>
    <message>
        <source>Streaming heads of it keep %1 sink and %2 recent tokens.</source>
        <translation>Ihre streamenden Köpfe behalten %1 Senken- und %2 letzte Token.</translation>
    </message>
    <message>
        <source>If it streams, it keeps %1 sink and %2 recent tokens.</source>
        <translation>Wenn sie streamt, behält sie %1 Senken- und %2 letzte Token.</translation>
    </message>
    <message>
        <source>It is locked: an assignment leaves it as it is.</source>
        <translation>Sie ist gesperrt: eine Zuweisung lässt sie, wie sie ist.</translation>
    </message>
    <message>
        <source>a moment left</source>
        <translation>gleich fertig</translation>
    </message>
    <message>
        <source>%1 s left</source>
        <translation>noch %1 s</translation>
    </message>
    <message>
        <source>%1 min left</source>
        <translation>noch %1 min</translation>
    </message>
    <message>
        <source>%1 h left</source>
        <translation>noch %1 h</translation>
    </message>
    <message>
        <source>Answer loss of layers</source>
        <translation>Antwortverlust der Schichten</translation>
    </message>
    <message>
        <source>Answer loss of heads</source>
        <translation>Antwortverlust der Köpfe</translation>
    </message>
    <message>
        <source>Ablation of layers by KL</source>
        <translation>Ablation der Schichten nach KL</translation>
    </message>
    <message>
        <source>Ablation of heads by KL</source>
        <translation>Ablation der Köpfe nach KL</translation>
    </message>
    <message>
        <source>Ablation of layers</source>
        <translation>Ablation der Schichten</translation>
    </message>
    <message>
        <source>Ablation of heads</source>
        <translation>Ablation der Köpfe</translation>
    </message>
    <message>
        <source>Greedy search over layers by answer loss</source>
        <translation>Greedy-Suche über Schichten nach Antwortverlust</translation>
    </message>
    <message>
        <source>Greedy search over heads by answer loss</source>
        <translation>Greedy-Suche über Köpfe nach Antwortverlust</translation>
    </message>
    <message>
        <source>Greedy search over layers by KL</source>
        <translation>Greedy-Suche über Schichten nach KL</translation>
    </message>
    <message>
        <source>Greedy search over heads by KL</source>
        <translation>Greedy-Suche über Köpfe nach KL</translation>
    </message>
    <message>
        <source>Greedy search over layers</source>
        <translation>Greedy-Suche über Schichten</translation>
    </message>
    <message>
        <source>Greedy search over heads</source>
        <translation>Greedy-Suche über Köpfe</translation>
    </message>
    <message>
        <source>Gates, one per layer</source>
        <translation>Gates, eines je Schicht</translation>
    </message>
    <message>
        <source>Gates, one per head</source>
        <translation>Gates, eines je Kopf</translation>
    </message>
    <message>
        <source>&lt; 0.01 %</source>
        <translation>&lt; 0.01 %</translation>
    </message>
    <message>
        <source>token %1</source>
        <translation>Token %1</translation>
    </message>
    <message>
        <source>%1: the ending says what is written: give .png, .svg, .pdf or .csv</source>
        <translation>%1: die Endung sagt, was geschrieben wird: .png, .svg, .pdf oder .csv angeben</translation>
    </message>
    <message>
        <source>PNG picture (*.png);;SVG drawing (*.svg);;PDF document (*.pdf);;Numbers as CSV (*.csv)</source>
        <translation>PNG-Bild (*.png);;SVG-Zeichnung (*.svg);;PDF-Dokument (*.pdf);;Zahlen als CSV (*.csv)</translation>
    </message>
    <message>
        <source>KV memory there at %1 tokens: %2 sequences a GiB, %3 with full attention (computed as %4 %5 counts: %6).</source>
        <translation>KV-Speicher dort bei %1 Token: %2 Sequenzen je GiB, %3 mit voller Attention (berechnet, wie %4 %5 zählt: %6).</translation>
    </message>
    <message>
        <source>KL %1, same top token %2 %</source>
        <translation>KL %1, gleiches erstes Token %2 %</translation>
    </message>
    <message>
        <source>No text is longer than the window: nothing was measured.</source>
        <translation>Kein Text ist länger als das Fenster: nichts wurde gemessen.</translation>
    </message>
    <message>
        <source>Beside full attention, beyond the window: %1 with the sinks; %2 with the window alone, as engines that keep no sinks run it; %3 with what stands in for sinks (the Granite targets).</source>
        <translation>Neben voller Attention, jenseits des Fensters: %1 mit den Senken; %2 mit dem Fenster allein, wie Engines ohne Senken sie ausführen; %3 mit dem Ersatz für Senken (die Granite-Ziele).</translation>
    </message>
    <message>
        <source>Prompts within the window cost nothing, but with stand-ins: %1.</source>
        <translation>Prompts innerhalb des Fensters kosten nichts, mit Ersatz aber: %1.</translation>
    </message>
    <message>
        <source>needle &quot;%1&quot;: its map is not in the session; ask again</source>
        <translation>Nadel „%1“: ihre Karte ist nicht in der Sitzung; noch einmal fragen</translation>
    </message>
    <message>
        <source>%1 &quot;%2&quot; is of another model, and left out</source>
        <translation>%1 „%2“ ist von einem anderen Modell und entfällt</translation>
    </message>
    <message>
        <source>cannot run it</source>
        <translation>kann sie nicht ausführen</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>ja</translation>
    </message>
    <message numerus="yes">
        <source>no: %n retrieve</source>
        <translation>
            <numerusform>nein: %n behält alles</numerusform>
            <numerusform>nein: %n behalten alles</numerusform>
        </translation>
    </message>
    <message>
        <source>opt-in</source>
        <translation>auf Wunsch</translation>
    </message>
    <message>
        <source>Variants of the map</source>
        <translation>Varianten der Karte</translation>
    </message>
    <message>
        <source>The file of %1</source>
        <translation>Die Datei von %1</translation>
    </message>
    <message>
        <source>Variant</source>
        <translation>Variante</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>Layers that differ from this map</source>
        <translation>Schichten, die sich von dieser Karte unterscheiden</translation>
    </message>
    <message>
        <source>KV memory</source>
        <translation>KV-Speicher</translation>
    </message>
    <message>
        <source>Time per token</source>
        <translation>Zeit je Token</translation>
    </message>
    <message>
        <source>Time to first token</source>
        <translation>Zeit bis zum ersten Token</translation>
    </message>
    <message>
        <source>%1 predicted at %2</source>
        <translation>%1 vorhergesagt bei %2</translation>
    </message>
    <message>
        <source>%1 (this map)</source>
        <translation>%1 (diese Karte)</translation>
    </message>
    <message>
        <source>%1 at %2</source>
        <translation>%1 bei %2</translation>
    </message>
    <message>
        <source>The page to show, such as profile; with --screenshot, export, check and recommending show these dialogs.</source>
        <translation>Die gezeigte Seite, etwa profile; mit --screenshot zeigen export, check und recommending diese Dialoge.</translation>
    </message>
    <message>
        <source>Show both answers token by token</source>
        <translation>Beide Antworten Token für Token zeigen</translation>
    </message>
    <message>
        <source>Frontier</source>
        <translation>Front</translation>
    </message>
    <message>
        <source>The maps than which no other is better in both, what it costs to serve and what it loses in quality.</source>
        <translation>Die Karten, neben denen keine andere in beidem besser ist: was sie zu bedienen kostet und was sie an Qualität verliert.</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>%1 (something stands in for sinks)</source>
        <translation>%1 (Ersatz für Senken)</translation>
    </message>
    <message>
        <source>zigzag&apos;s engine</source>
        <translation>zigzags Engine</translation>
    </message>
    <message>
        <source> and </source>
        <translation> und </translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 s</translation>
    </message>
    <message>
        <source>%1 min</source>
        <translation>%1 min</translation>
    </message>
    <message>
        <source>%1 h</source>
        <translation>%1 h</translation>
    </message>
    <message>
        <source>of your questions</source>
        <translation>eigenen Fragen</translation>
    </message>
    <message>
        <source>needle tasks</source>
        <translation>Nadelaufgaben</translation>
    </message>
    <message>
        <source>It will take about %1 of the %2 given, for %3.</source>
        <translation>Es dauert etwa %1 der gegebenen %2, für %3.</translation>
    </message>
    <message>
        <source>1. Order the layers, %1, by %2 %3 of up to %4 tokens: %5.</source>
        <translation>1. Die Schichten ordnen, %1, nach %2 %3 mit bis zu %4 Token: %5.</translation>
    </message>
    <message>
        <source>turned one after another</source>
        <translation>eine nach der anderen umgestellt</translation>
    </message>
    <message>
        <source>each alone</source>
        <translation>jede allein</translation>
    </message>
    <message>
        <source>2. Try up to %1 counts of streaming layers, in windows of %2 tokens, on %3 prompts: %4.</source>
        <translation>2. Bis zu %1 Anzahlen streamender Schichten versuchen, in Fenstern von %2 Token, auf %3 Prompts: %4.</translation>
    </message>
    <message>
        <source>3. Judge up to %1 maps on %2 prompts that were not seen before, and write the best: %3.</source>
        <translation>3. Bis zu %1 Karten auf %2 Prompts beurteilen, die zuvor niemand sah, und die beste schreiben: %3.</translation>
    </message>
    <message>
        <source>Even the least of it takes longer than the time that is given; it ends when that is over.</source>
        <translation>Selbst das Geringste davon dauert länger als die gegebene Zeit; es endet, wenn sie um ist.</translation>
    </message>
    <message>
        <source>With more time, prompts would be longer or more, and the answer surer.</source>
        <translation>Mit mehr Zeit wären Prompts länger oder zahlreicher, und die Antwort sicherer.</translation>
    </message>
    <message>
        <source>%1 of %2 layers can stream in %3: the map keeps %4 of full attention&apos;s score, at the least %5.</source>
        <translation>%1 von %2 Schichten können in %3 streamen: die Karte behält %4 der Punkte voller Attention, mindestens %5.</translation>
    </message>
    <message>
        <source>No map within the budget was shown to keep %1 of full attention&apos;s score in %2.</source>
        <translation>Von keiner Karte im Budget hat sich gezeigt, dass sie in %2 %1 der Punkte voller Attention behält.</translation>
    </message>
    <message>
        <source>No map was shown to keep %1 of full attention&apos;s score in %2.</source>
        <translation>Von keiner Karte hat sich gezeigt, dass sie in %2 %1 der Punkte voller Attention behält.</translation>
    </message>
    <message>
        <source>Some may: more time or more prompts would tell.</source>
        <translation>Manche könnte es: mehr Zeit oder mehr Prompts würden es sagen.</translation>
    </message>
    <message>
        <source>The frontier is what there is; ask for less, or for wider windows.</source>
        <translation>Die Front ist, was es gibt; weniger verlangen oder breitere Fenster.</translation>
    </message>
    <message>
        <source>Layers %1 stream, with a window of %2 tokens and %3 sinks.</source>
        <translation>Die Schichten %1 streamen, mit einem Fenster von %2 Token und %3 Senken.</translation>
    </message>
    <message>
        <source>The engine keeps no sinks; what stands in for them was calibrated for this map.</source>
        <translation>Die Engine behält keine Senken; ihr Ersatz wurde für diese Karte kalibriert.</translation>
    </message>
    <message>
        <source>Keys and values of a sequence of %1 tokens in %2: %3 instead of %4 (%5).</source>
        <translation>Schlüssel und Werte einer Sequenz von %1 Token in %2: %3 statt %4 (%5).</translation>
    </message>
    <message>
        <source>Sequences in a GiB: %1 instead of %2.</source>
        <translation>Sequenzen je GiB: %1 statt %2.</translation>
    </message>
    <message>
        <source>No map saves memory in this engine, so that maps were compared by time.</source>
        <translation>Keine Karte spart in dieser Engine Speicher, darum wurden Karten nach der Zeit verglichen.</translation>
    </message>
    <message>
        <source>A token behind %1 tokens: %2 instead of %3 (%4), predicted for zigzag&apos;s engine on %5.</source>
        <translation>Ein Token hinter %1 Token: %2 statt %3 (%4), vorhergesagt für die Engine von zigzag auf %5.</translation>
    </message>
    <message>
        <source>Full attention scores %1, this map %2: %3 points (%4 to %5 by its 95 % interval) on %6 prompts that chose nothing. %7 of the score was to be kept.</source>
        <translation>Volle Attention hat %1, diese Karte %2: %3 Punkte (%4 bis %5 nach ihrem 95-%-Intervall) auf %6 Prompts, die nichts gewählt haben. %7 der Punkte sollten bleiben.</translation>
    </message>
    <message>
        <source>Measured on your questions, of up to %1 tokens, in %2 on %3.</source>
        <translation>Gemessen auf eigenen Fragen, mit bis zu %1 Token, in %2 auf %3.</translation>
    </message>
    <message>
        <source>Measured on needle tasks of %1 tokens, in %2 on %3.</source>
        <translation>Gemessen auf Nadelaufgaben mit %1 Token, in %2 auf %3.</translation>
    </message>
    <message>
        <source>The budget: %1 of keys and values at %2 tokens.</source>
        <translation>Das Budget: %1 an Schlüsseln und Werten bei %2 Token.</translation>
    </message>
    <message>
        <source>The budget: %1 a token at %2 tokens.</source>
        <translation>Das Budget: %1 je Token bei %2 Token.</translation>
    </message>
    <message>
        <source>Nothing was tried at %1 tokens: what maps do there is not known from prompts of %2.</source>
        <translation>Bei %1 Token wurde nichts versucht: was Karten dort tun, folgt nicht aus Prompts von %2.</translation>
    </message>
    <message>
        <source>The time was short: %1.</source>
        <translation>Die Zeit war knapp: %1.</translation>
    </message>
    <message>
        <source>kept</source>
        <translation>behalten</translation>
    </message>
    <message>
        <source>lost</source>
        <translation>verloren</translation>
    </message>
    <message>
        <source>undecided</source>
        <translation>unentschieden</translation>
    </message>
    <message>
        <source>%1: %2 (%3–%4)</source>
        <translation>%1: %2 (%3–%4)</translation>
    </message>
    <message>
        <source>%1 of %2 layers stream, sink %3, recent %4</source>
        <translation>%1 von %2 Schichten streamen, Senke %3, letzte %4</translation>
    </message>
    <message>
        <source>Contribution of heads to the answer&apos;s logits</source>
        <translation>Beitrag der Köpfe zu den Logits der Antwort</translation>
    </message>
    <message>
        <source>Write pictures of every page and dialog into FOLDER, in 1280x720 and 1920x1080 (or as --size says), light and dark, and end.</source>
        <translation>Bilder jeder Seite und jedes Dialogs in den Ordner FOLDER schreiben, in 1280x720 und 1920x1080 (oder wie --size sagt), hell und dunkel, und enden.</translation>
    </message>
    <message>
        <source>With --screenshot or --pictures: measure, record a trace, ask needles and do what the page needs first.</source>
        <translation>Mit --screenshot oder --pictures: zuerst messen, einen Trace aufzeichnen, Nadeln fragen und tun, was die Seite braucht.</translation>
    </message>
    <message>
        <source>--pictures needs the folder to write them into</source>
        <translation>--pictures braucht den Ordner, in den sie kommen</translation>
    </message>
    <message>
        <source>--pictures and --screenshot do not go together</source>
        <translation>--pictures und --screenshot gehen nicht zusammen</translation>
    </message>
    <message>
        <source>--measure goes with --screenshot or --pictures</source>
        <translation>--measure gehört zu --screenshot oder --pictures</translation>
    </message>
    <message>
        <source>Its heads add, directly, %1 to the logit of the right answers, %2 of it out of tokens that a streaming head would not see.</source>
        <translation>Ihre Köpfe tragen unmittelbar %1 zum Logit der richtigen Antworten bei, %2 davon aus Token, die ein streamender Kopf nicht sähe.</translation>
    </message>
    <message>
        <source>What stands in for sinks is calibrated for each map that is judged, and fitted in %1 steps for %2 of them.</source>
        <translation>Der Ersatz für Senken wird für jede beurteilte Karte kalibriert und für %2 davon in %1 Schritten angepasst.</translation>
    </message>
    <message>
        <source>What stands in for sinks is calibrated for each map that is judged.</source>
        <translation>Der Ersatz für Senken wird für jede beurteilte Karte kalibriert.</translation>
    </message>
    <message>
        <source>The engine keeps no sinks; what stands in for them was calibrated and fitted for this map.</source>
        <translation>Die Engine behält keine Senken; ihr Ersatz wurde für diese Karte kalibriert und angepasst.</translation>
    </message>
    <message>
        <source>Judged, and exported, with stand-ins that are calibrated; that took %1.</source>
        <translation>Beurteilt und exportiert mit kalibriertem Ersatz; das dauerte %1.</translation>
    </message>
    <message>
        <source>Judged, and exported, with stand-ins that are calibrated (%1) and fitted in %2 steps (%3).</source>
        <translation>Beurteilt und exportiert mit kalibriertem (%1) und in %2 Schritten angepasstem Ersatz (%3).</translation>
    </message>
    <message>
        <source>Judged, and exported, with stand-ins that are calibrated (%1); a fit of %2 steps (%3) made them no better.</source>
        <translation>Beurteilt und exportiert mit kalibriertem Ersatz (%1); eine Anpassung in %2 Schritten (%3) machte ihn nicht besser.</translation>
    </message>
    <message>
        <source>Distance from full attention beyond the window, on text that they were not made from (KL): %1 with the window alone, %2 calibrated, %3 fitted; with the sinks kept %4.</source>
        <translation>Abstand von voller Attention jenseits des Fensters, auf Text, aus dem der Ersatz nicht gemacht wurde (KL): %1 mit dem Fenster allein, %2 kalibriert, %3 angepasst; mit den Senken %4.</translation>
    </message>
    <message>
        <source>Distance from full attention beyond the window, on text that they were not made from (KL): %1 with the window alone, %2 calibrated; with the sinks kept %3.</source>
        <translation>Abstand von voller Attention jenseits des Fensters, auf Text, aus dem der Ersatz nicht gemacht wurde (KL): %1 mit dem Fenster allein, %2 kalibriert; mit den Senken %3.</translation>
    </message>
    <message>
        <source>%1, fitted</source>
        <translation>%1, angepasst</translation>
    </message>
    <message>
        <source>Sort by</source>
        <translation>Ordnen nach</translation>
    </message>
</context>
<context>
    <name>zigzag::AboutDialog</name>
    <message>
        <source>About Zigzag Studio</source>
        <translation>Über Zigzag Studio</translation>
    </message>
    <message>
        <source>&lt;h3&gt;Zigzag Studio %1&lt;/h3&gt;&lt;p&gt;Which layers of a language model can stream, what that gains and what it loses.&lt;/p&gt;&lt;p&gt;The windowed program is free software under the GNU General Public License, version 3 or later. It comes with no warranty.&lt;/p&gt;&lt;p&gt;Made with Qt %2 (LGPL 3), QCustomPlot (GPL 3 or later), oneDNN and Highway (Apache 2.0), PCRE2 (BSD), OpenSSL (Apache 2.0), fmt and nlohmann/json (MIT), tl::expected (CC0). The colours of the scores are matplotlib&apos;s viridis (CC0).&lt;/p&gt;&lt;p&gt;ZigzagAttention: arXiv 2508.12407. DuoAttention: arXiv 2410.10819. Retrieval heads: arXiv 2404.15574.&lt;/p&gt;</source>
        <translation>&lt;h3&gt;Zigzag Studio %1&lt;/h3&gt;&lt;p&gt;Welche Schichten eines Sprachmodells streamen können, was das bringt und was es kostet.&lt;/p&gt;&lt;p&gt;Das Fensterprogramm ist freie Software unter der GNU General Public License, Version 3 oder später. Es kommt ohne Gewähr.&lt;/p&gt;&lt;p&gt;Gemacht mit Qt %2 (LGPL 3), QCustomPlot (GPL 3 oder später), oneDNN und Highway (Apache 2.0), PCRE2 (BSD), OpenSSL (Apache 2.0), fmt und nlohmann/json (MIT), tl::expected (CC0). Die Farben der Scores sind viridis von matplotlib (CC0).&lt;/p&gt;&lt;p&gt;ZigzagAttention: arXiv 2508.12407. DuoAttention: arXiv 2410.10819. Retrieval-Köpfe: arXiv 2404.15574.&lt;/p&gt;</translation>
    </message>
</context>
<context>
    <name>zigzag::AnswerView</name>
    <message>
        <source>token %1</source>
        <translation>Token %1</translation>
    </message>
    <message>
        <source>Answers, token by token</source>
        <translation>Antworten, Token für Token</translation>
    </message>
    <message>
        <source>end</source>
        <translation>Ende</translation>
    </message>
</context>
<context>
    <name>zigzag::AnswersModel</name>
    <message>
        <source>%1 as %2 runs it</source>
        <translation>%1, wie %2 sie ausführt</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>%1 (%2 to %3)</source>
        <translation>%1 (%2 bis %3)</translation>
    </message>
    <message>
        <source>Map</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>Task</source>
        <translation>Aufgabe</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>Fragen</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Voll</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>Score</translation>
    </message>
    <message>
        <source>Difference (95 %)</source>
        <translation>Unterschied (95 %)</translation>
    </message>
    <message>
        <source>Worse</source>
        <translation>Schlechter</translation>
    </message>
    <message>
        <source>Better</source>
        <translation>Besser</translation>
    </message>
    <message>
        <source>Is it one?</source>
        <translation>Ist es einer?</translation>
    </message>
    <message>
        <source>Questions (count)</source>
        <translation>Fragen (Anzahl)</translation>
    </message>
    <message>
        <source>Score of full attention</source>
        <translation>Punkte mit voller Attention</translation>
    </message>
    <message>
        <source>Score of the map</source>
        <translation>Punkte der Karte</translation>
    </message>
    <message>
        <source>Difference of score</source>
        <translation>Unterschied der Punkte</translation>
    </message>
    <message>
        <source>Difference of score (low)</source>
        <translation>Unterschied der Punkte (unten)</translation>
    </message>
    <message>
        <source>Difference of score (high)</source>
        <translation>Unterschied der Punkte (oben)</translation>
    </message>
    <message>
        <source>Share of chance (p)</source>
        <translation>Anteil des Zufalls (p)</translation>
    </message>
    <message>
        <source>Worse (count)</source>
        <translation>Schlechter (Anzahl)</translation>
    </message>
    <message>
        <source>Better (count)</source>
        <translation>Besser (Anzahl)</translation>
    </message>
    <message>
        <source>As the file or RULER calls it</source>
        <translation>Wie die Datei oder RULER sie nennt</translation>
    </message>
    <message>
        <source>What the question was made for, the answer&apos;s room included</source>
        <translation>Wofür die Frage gemacht wurde, mit dem Platz für die Antwort</translation>
    </message>
    <message>
        <source>That every map answered</source>
        <translation>Die jede Karte beantwortet hat</translation>
    </message>
    <message>
        <source>Mean score of full attention, by each task&apos;s own rule</source>
        <translation>Mittlere Punkte mit voller Attention, nach der eigenen Regel jeder Aufgabe</translation>
    </message>
    <message>
        <source>Mean score of this map</source>
        <translation>Mittlere Punkte dieser Karte</translation>
    </message>
    <message>
        <source>This map less full attention, with its 95 % interval</source>
        <translation>Diese Karte minus volle Attention, mit ihrem 95-%-Intervall</translation>
    </message>
    <message>
        <source>Questions whose score fell</source>
        <translation>Fragen, deren Punkte fielen</translation>
    </message>
    <message>
        <source>Questions whose score rose</source>
        <translation>Fragen, deren Punkte stiegen</translation>
    </message>
    <message>
        <source>McNemar&apos;s exact test where answers are right or wrong, else a bootstrap over questions</source>
        <translation>Exakter McNemar-Test, wo Antworten richtig oder falsch sind, sonst ein Bootstrap über Fragen</translation>
    </message>
</context>
<context>
    <name>zigzag::AnswersPage</name>
    <message>
        <source>Answers</source>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>A prompt</source>
        <translation>Ein Prompt</translation>
    </message>
    <message>
        <source>Answers of &amp;two maps</source>
        <translation>Antworten &amp;zweier Karten</translation>
    </message>
    <message>
        <source>Copy the &amp;answers as text</source>
        <translation>Die Antworten als Te&amp;xt kopieren</translation>
    </message>
    <message>
        <source>the answers of two maps</source>
        <translation>die Antworten zweier Karten</translation>
    </message>
    <message>
        <source>the table of layers that differ</source>
        <translation>die Tabelle der Schichten, die sich unterscheiden</translation>
    </message>
    <message>
        <source>Layers that differ, and what each costs</source>
        <translation>Schichten, die sich unterscheiden, und was jede kostet</translation>
    </message>
    <message>
        <source>To hear answers, open the model.</source>
        <translation>Um Antworten zu hören, das Modell öffnen.</translation>
    </message>
    <message>
        <source>Answers need a trained model with its tokenizer.</source>
        <translation>Antworten brauchen ein trainiertes Modell mit seinem Tokenizer.</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>das Modell wird geladen…</translation>
    </message>
    <message>
        <source>Needle at %1 tokens, depth %2, question %3 of %4</source>
        <translation>Nadel bei %1 Token, Tiefe %2, Frage %3 von %4</translation>
    </message>
    <message>
        <source>There are no scores to choose that map by: score the model, or import scores.</source>
        <translation>Es gibt keine Scores, nach denen sich diese Karte wählen ließe: das Modell bewerten oder Scores importieren.</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
    <message>
        <source>Answers: the prompt</source>
        <translation>Antworten: der Prompt</translation>
    </message>
    <message>
        <source>The prompt is longer than the model&apos;s context: %1 tokens were cut from its middle.</source>
        <translation>Der Prompt ist länger als der Kontext des Modells: aus seiner Mitte wurden %1 Token gestrichen.</translation>
    </message>
    <message>
        <source>Calibrating what stands in for sinks</source>
        <translation>Ersatz für Senken wird kalibriert</translation>
    </message>
    <message>
        <source>Answers: %1 reads %2 tokens</source>
        <translation>Antworten: %1 liest %2 Token</translation>
    </message>
    <message>
        <source>Answers: token %1 of %2</source>
        <translation>Antworten: Token %1 von %2</translation>
    </message>
    <message>
        <source>Asked of other maps than those that are chosen now.</source>
        <translation>Von anderen Karten als den jetzt gewählten.</translation>
    </message>
    <message>
        <source>Ask both (F4).</source>
        <translation>Beide fragen (F4).</translation>
    </message>
    <message>
        <source>Does the answer still hold? Type a prompt, or double-click a cell of the needle page, or a question that broke, and ask both (F4).</source>
        <translation>Stimmt die Antwort noch? Einen Prompt tippen oder eine Zelle der Nadelseite oder eine nicht mehr richtige Frage doppelt anklicken und beide fragen (F4).</translation>
    </message>
</context>
<context>
    <name>zigzag::AskedQuality</name>
    <message>
        <source>Sweep: RULER&apos;s tasks</source>
        <translation>Sweep: RULERs Aufgaben</translation>
    </message>
    <message>
        <source>Sweep: perplexity of %1</source>
        <translation>Sweep: Perplexität von %1</translation>
    </message>
    <message>
        <source>Sweep: %1</source>
        <translation>Sweep: %1</translation>
    </message>
</context>
<context>
    <name>zigzag::AssignPage</name>
    <message>
        <source>vLLM reserves nothing beside this map&apos;s layers.</source>
        <translation>vLLM reserviert neben den Schichten dieser Karte nichts.</translation>
    </message>
    <message numerus="yes">
        <source>vLLM fills this map&apos;s groups up by %n layers that do not exist</source>
        <translation>
            <numerusform>vLLM füllt die Gruppen dieser Karte um %n Schicht auf, die es nicht gibt</numerusform>
            <numerusform>vLLM füllt die Gruppen dieser Karte um %n Schichten auf, die es nicht gibt</numerusform>
        </translation>
    </message>
    <message>
        <source>; by none with %1.</source>
        <translation>; mit %1 um keine.</translation>
    </message>
    <message>
        <source> or </source>
        <translation> oder </translation>
    </message>
    <message>
        <source>Assign</source>
        <translation>Zuweisen</translation>
    </message>
    <message>
        <source>A TPOT budget is of one sequence on one GPU: set batch and GPUs of the plots to 1</source>
        <translation>Ein TPOT-Budget gilt für eine Sequenz auf einer GPU: Batch und GPUs der Diagramme auf 1 stellen</translation>
    </message>
    <message>
        <source>, for %1</source>
        <translation>, für %1</translation>
    </message>
    <message>
        <source>The heads are being scored.</source>
        <translation>Die Köpfe werden bewertet.</translation>
    </message>
    <message>
        <source>Scoring waits for another run.</source>
        <translation>Das Bewerten wartet auf einen anderen Lauf.</translation>
    </message>
    <message>
        <source>To score, open the model.</source>
        <translation>Zum Bewerten das Modell öffnen.</translation>
    </message>
    <message>
        <source>Scoring needs a trained model with its tokenizer.</source>
        <translation>Bewerten braucht ein trainiertes Modell mit seinem Tokenizer.</translation>
    </message>
</context>
<context>
    <name>zigzag::AssignPanel</name>
    <message>
        <source>per layer</source>
        <translation>je Schicht</translation>
    </message>
    <message>
        <source>Score (F7)</source>
        <translation>Bewerten (F7)</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importieren…</translation>
    </message>
    <message>
        <source>Criterion</source>
        <translation>Kriterium</translation>
    </message>
    <message>
        <source>What is asked for</source>
        <translation>Was verlangt wird</translation>
    </message>
    <message>
        <source>Sparsity</source>
        <translation>Sparsity</translation>
    </message>
    <message>
        <source>Sparsity in per cent</source>
        <translation>Sparsity in Prozent</translation>
    </message>
    <message>
        <source>Streaming layers</source>
        <translation>Streamende Schichten</translation>
    </message>
    <message>
        <source>KV budget in MiB</source>
        <translation>KV-Budget in MiB</translation>
    </message>
    <message>
        <source>TPOT budget in milliseconds</source>
        <translation>TPOT-Budget in Millisekunden</translation>
    </message>
    <message>
        <source>Sink tokens</source>
        <translation>Senken-Token</translation>
    </message>
    <message>
        <source>Recent tokens</source>
        <translation>Letzte Token</translation>
    </message>
    <message>
        <source>Assign</source>
        <translation>Zuweisen</translation>
    </message>
    <message>
        <source>Make exclusive</source>
        <translation>Exklusiv machen</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source> layers</source>
        <translation> Schichten</translation>
    </message>
    <message>
        <source> MiB</source>
        <translation> MiB</translation>
    </message>
    <message>
        <source> ms</source>
        <translation> ms</translation>
    </message>
    <message>
        <source>So many layers stream; by duo, as many heads as they have</source>
        <translation>So viele Schichten streamen; bei duo so viele Köpfe, wie sie haben</translation>
    </message>
    <message>
        <source>Keys and values take at most so much at the context that the window speaks of</source>
        <translation>Schlüssel und Werte nehmen beim Kontext, von dem das Fenster spricht, höchstens so viel ein</translation>
    </message>
    <message>
        <source>A token takes at most so long at the context that the window speaks of, as predicted</source>
        <translation>Ein Token dauert beim Kontext, von dem das Fenster spricht, höchstens so lange, laut Vorhersage</translation>
    </message>
    <message>
        <source>Score every KV head by the attention it pays to needles while it answers</source>
        <translation>Jeden KV-Kopf nach der Attention bewerten, die er beim Antworten den Nadeln gibt</translation>
    </message>
    <message>
        <source>Import scores: a score file, a DuoAttention folder or TSV, or Retrieval_Head JSON</source>
        <translation>Scores importieren: eine Scoredatei, ein DuoAttention-Ordner oder TSV, oder JSON von Retrieval_Head</translation>
    </message>
    <message>
        <source>Find the best map by this criterion for this target; locked layers stay as they are</source>
        <translation>Nach diesem Kriterium die beste Karte für dieses Ziel finden; gesperrte Schichten bleiben, wie sie sind</translation>
    </message>
    <message>
        <source>Assign by zigzag at the map&apos;s present sparsity, so that no layer is mixed</source>
        <translation>Mit zigzag bei der jetzigen Sparsity der Karte zuweisen, so dass keine Schicht gemischt ist</translation>
    </message>
    <message>
        <source>Scores</source>
        <translation>Scores</translation>
    </message>
    <message>
        <source>Layer count</source>
        <translation>Schichtzahl</translation>
    </message>
    <message>
        <source>KV budget</source>
        <translation>KV-Budget</translation>
    </message>
    <message>
        <source>TPOT budget</source>
        <translation>TPOT-Budget</translation>
    </message>
    <message>
        <source>Target</source>
        <translation>Ziel</translation>
    </message>
    <message>
        <source>Sink</source>
        <translation>Senke</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Letzte</translation>
    </message>
    <message>
        <source>This map</source>
        <translation>Diese Karte</translation>
    </message>
    <message>
        <source>Streaming heads</source>
        <translation>Streamende Köpfe</translation>
    </message>
    <message>
        <source>Mixed layers</source>
        <translation>Gemischte Schichten</translation>
    </message>
    <message>
        <source>Heads flipped</source>
        <translation>Vertauschte Köpfe</translation>
    </message>
    <message>
        <source>Heads demoted</source>
        <translation>Herabgestufte Köpfe</translation>
    </message>
    <message>
        <source>Transport cost</source>
        <translation>Transportkosten</translation>
    </message>
    <message>
        <source>Ties at the cut</source>
        <translation>Gleichstände am Schnitt</translation>
    </message>
    <message>
        <source>%1 of %2 (%3)</source>
        <translation>%1 von %2 (%3)</translation>
    </message>
    <message>
        <source>%1
%2: %3</source>
        <translation>%1
%2: %3</translation>
    </message>
    <message>
        <source>at %1 tokens; this map takes %2 MiB</source>
        <translation>bei %1 Token; diese Karte nimmt %2 MiB</translation>
    </message>
    <message>
        <source>Open the model first: the size of a head is not known.</source>
        <translation>Zuerst das Modell öffnen: die Größe eines Kopfes ist nicht bekannt.</translation>
    </message>
    <message>
        <source>at %1 tokens; this map is predicted to take %2 ms</source>
        <translation>bei %1 Token; für diese Karte sind %2 ms vorhergesagt</translation>
    </message>
    <message>
        <source>Open the model first: there are no times yet.</source>
        <translation>Zuerst das Modell öffnen: es gibt noch keine Zeiten.</translation>
    </message>
    <message>
        <source>None yet. Score the model, or import a file.</source>
        <translation>Noch keine. Das Modell bewerten oder eine Datei importieren.</translation>
    </message>
    <message>
        <source>None yet. Import a file. %1</source>
        <translation>Noch keine. Eine Datei importieren. %1</translation>
    </message>
    <message numerus="yes">
        <source>, %n layers local</source>
        <translation>
            <numerusform>, %n Schicht lokal</numerusform>
            <numerusform>, %n Schichten lokal</numerusform>
        </translation>
    </message>
    <message>
        <source>0: exclusive</source>
        <translation>0: exklusiv</translation>
    </message>
</context>
<context>
    <name>zigzag::AttentionView</name>
    <message>
        <source>Attention of one head</source>
        <translation>Attention eines Kopfes</translation>
    </message>
    <message>
        <source>Query %1, at %2: %3 on sinks, %4 in the window, %5 beyond both</source>
        <translation>Anfrage %1, bei %2: %3 auf Senken, %4 im Fenster, %5 jenseits von beiden</translation>
    </message>
    <message>
        <source>sink</source>
        <translation>Senke</translation>
    </message>
    <message>
        <source>beyond</source>
        <translation>jenseits</translation>
    </message>
    <message>
        <source>window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>
%1 %2 at %3 (%4)</source>
        <translation>
%1 %2 bei %3 (%4)</translation>
    </message>
    <message>
        <source>%1, the needle</source>
        <translation>%1, die Nadel</translation>
    </message>
    <message>
        <source>keys →</source>
        <translation>Schlüssel →</translation>
    </message>
    <message>
        <source>← queries</source>
        <translation>← Anfragen</translation>
    </message>
    <message>
        <source>Query head %1 of layer %2</source>
        <translation>Anfragekopf %1 der Schicht %2</translation>
    </message>
    <message>
        <source>Light: much attention; each step of 10 × is as much lighter.</source>
        <translation>Hell: viel Attention; jede Stufe von 10 × ist um ebenso viel heller.</translation>
    </message>
    <message>
        <source>Dark: much attention; each step of 10 × is as much darker.</source>
        <translation>Dunkel: viel Attention; jede Stufe von 10 × ist um ebenso viel dunkler.</translation>
    </message>
    <message>
        <source>Orange: what a streaming head with %1 sink and %2 recent tokens does not see.</source>
        <translation>Orange: was ein streamender Kopf mit %1 Senken- und %2 letzten Token nicht sieht.</translation>
    </message>
    <message>
        <source>

Blue: the needle.</source>
        <translation>

Blau: die Nadel.</translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation>%1 bis %2</translation>
    </message>
    <message>
        <source>Queries %1, keys %2: mean %3, largest %4</source>
        <translation>Anfragen %1, Schlüssel %2: Mittel %3, größtes %4</translation>
    </message>
    <message>
        <source>the attention picture</source>
        <translation>das Attention-Bild</translation>
    </message>
</context>
<context>
    <name>zigzag::CheckDialog</name>
    <message>
        <source>Check a server</source>
        <translation>Einen Server prüfen</translation>
    </message>
    <message>
        <source>server %1</source>
        <translation>Server %1</translation>
    </message>
    <message>
        <source>calibrating what stands in for sinks</source>
        <translation>Ersatz für Senken wird kalibriert</translation>
    </message>
    <message>
        <source>taking times</source>
        <translation>Zeiten werden genommen</translation>
    </message>
    <message>
        <source>comparing answers</source>
        <translation>Antworten werden verglichen</translation>
    </message>
    <message>
        <source>Ways in which the server may run, and how near it is to each</source>
        <translation>Wie der Server laufen kann und wie nah er jedem davon ist</translation>
    </message>
    <message>
        <source>If it runs</source>
        <translation>Wenn er läuft</translation>
    </message>
    <message>
        <source>Tokens as here</source>
        <translation>Token wie hier</translation>
    </message>
    <message>
        <source>Mean difference</source>
        <translation>Mittlerer Abstand</translation>
    </message>
    <message>
        <source>Largest</source>
        <translation>Größter</translation>
    </message>
    <message>
        <source>Times of the server</source>
        <translation>Zeiten des Servers</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>vorhergesagt</translation>
    </message>
    <message>
        <source>floor</source>
        <translation>Untergrenze</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>What the server was found to run</source>
        <translation>Was der Server nachweislich ausführt</translation>
    </message>
    <message>
        <source>How far the check is</source>
        <translation>Wie weit die Prüfung ist</translation>
    </message>
    <message>
        <source>vLLM, SGLang, llama.cpp&apos;s server, zigzag serve: whoever speaks OpenAI&apos;s API</source>
        <translation>vLLM, SGLang, der Server von llama.cpp, zigzag serve: wer immer die API von OpenAI spricht</translation>
    </message>
    <message>
        <source>where the server asks for one</source>
        <translation>wo der Server einen verlangt</translation>
    </message>
    <message>
        <source>the only one that it serves</source>
        <translation>das einzige, das er bedient</translation>
    </message>
    <message>
        <source>zigzag serve: the map with its sinks</source>
        <translation>zigzag serve: die Karte mit ihren Senken</translation>
    </message>
    <message>
        <source>How the map was exported: what the server should be running</source>
        <translation>Wie die Karte exportiert wurde: was der Server ausführen soll</translation>
    </message>
    <message>
        <source>Take &amp;times as well, at %1 tokens</source>
        <translation>Auch &amp;Zeiten nehmen, bei %1 Token</translation>
    </message>
    <message>
        <source>&amp;Server</source>
        <translation>&amp;Server</translation>
    </message>
    <message>
        <source>&amp;Key</source>
        <translation>Sch&amp;lüssel</translation>
    </message>
    <message>
        <source>&amp;Model there</source>
        <translation>&amp;Modell dort</translation>
    </message>
    <message>
        <source>Served &amp;as</source>
        <translation>Bedi&amp;ent als</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Stopp</translation>
    </message>
    <message>
        <source>waiting for other runs</source>
        <translation>wartet auf andere Läufe</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>No times: %1</source>
        <translation>Keine Zeiten: %1</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>Differences of log-probabilities (nats) over %1 greedy tokens behind %2 prompts of %3 tokens; the nearest two ways are %4 apart.</source>
        <translation>Abstände der Log-Wahrscheinlichkeiten (nats) über %1 greedy gewählte Token hinter %2 Prompts von %3 Token; die nächsten zwei Wege liegen %4 auseinander.</translation>
    </message>
    <message>
        <source>Prompts were sent as text: the server takes no token ids.</source>
        <translation>Die Prompts gingen als Text hin: der Server nimmt keine Token-IDs.</translation>
    </message>
    <message>
        <source>Times as a client sees them, medians of %1; predicted and floor are of zigzag&apos;s engine on this machine. They are listed under Runs.</source>
        <translation>Zeiten, wie ein Client sie sieht, Mediane von %1; Vorhersage und Untergrenze sind von der Engine von zigzag auf dieser Maschine. Sie stehen unter Läufe.</translation>
    </message>
    <message>
        <source>Times as a client sees them, medians of %1. They are listed under Runs; predictions are not calibrated.</source>
        <translation>Zeiten, wie ein Client sie sieht, Mediane von %1. Sie stehen unter Läufe; Vorhersagen sind nicht kalibriert.</translation>
    </message>
    <message>
        <source>&amp;Check</source>
        <translation>&amp;Prüfen</translation>
    </message>
</context>
<context>
    <name>zigzag::CommandPalette</name>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>Type a command</source>
        <translation>Einen Befehl tippen</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Matching commands</source>
        <translation>Passende Befehle</translation>
    </message>
</context>
<context>
    <name>zigzag::ComparePage</name>
    <message>
        <source>Compare maps</source>
        <translation>Vergleich</translation>
    </message>
    <message>
        <source>Full attention</source>
        <translation>Volle Attention</translation>
    </message>
    <message>
        <source>DuoAttention at the same sparsity</source>
        <translation>DuoAttention bei gleicher Sparsity</translation>
    </message>
    <message>
        <source>Zigzag at the same sparsity</source>
        <translation>Zigzag bei gleicher Sparsity</translation>
    </message>
    <message>
        <source>The other map</source>
        <translation>Die andere Karte</translation>
    </message>
    <message>
        <source>Layers in which the maps differ</source>
        <translation>Schichten, in denen sich die Karten unterscheiden</translation>
    </message>
    <message>
        <source>Map file…</source>
        <translation>Kartendatei…</translation>
    </message>
    <message>
        <source>This map against</source>
        <translation>Diese Karte gegen</translation>
    </message>
    <message>
        <source>&amp;Compare with a map…</source>
        <translation>Mit einer Karte &amp;vergleichen…</translation>
    </message>
    <message>
        <source>the table of differing layers</source>
        <translation>die Tabelle der abweichenden Schichten</translation>
    </message>
    <message>
        <source>Compare with a map</source>
        <translation>Mit einer Karte vergleichen</translation>
    </message>
    <message>
        <source>Variant %1</source>
        <translation>Variante %1</translation>
    </message>
    <message>
        <source>That map is for a model of another shape.</source>
        <translation>Diese Karte ist für ein Modell anderer Form.</translation>
    </message>
    <message>
        <source>There are no scores to choose that map by: score the model, or import scores.</source>
        <translation>Es gibt keine Scores, nach denen sich diese Karte wählen ließe: das Modell bewerten oder Scores importieren.</translation>
    </message>
    <message>
        <source>Arrows lead from this map to the other; KV at %1 tokens.</source>
        <translation>Pfeile führen von dieser Karte zur anderen; KV bei %1 Token.</translation>
    </message>
</context>
<context>
    <name>zigzag::ConditionsBar</name>
    <message>
        <source>Machine</source>
        <translation>Maschine</translation>
    </message>
    <message>
        <source>Whose times are predicted: this machine&apos;s, or those of a profile that zigzag calibrate wrote elsewhere</source>
        <translation>Wessen Zeiten vorhergesagt werden: die dieser Maschine oder die eines Profils, das zigzag calibrate anderswo schrieb</translation>
    </message>
    <message>
        <source>Sequences at once</source>
        <translation>Sequenzen zugleich</translation>
    </message>
    <message>
        <source>GPUs</source>
        <translation>GPUs</translation>
    </message>
    <message>
        <source>GPUs of one host, tensor parallel</source>
        <translation>GPUs eines Rechners, tensorparallel</translation>
    </message>
    <message>
        <source>Link</source>
        <translation>Verbindung</translation>
    </message>
    <message>
        <source>Link between GPUs in gigabytes a second</source>
        <translation>Verbindung der GPUs in Gigabyte je Sekunde</translation>
    </message>
    <message>
        <source>Gigabytes a second of an all-reduce between the GPUs</source>
        <translation>Gigabyte je Sekunde eines All-Reduce zwischen den GPUs</translation>
    </message>
    <message>
        <source> GB/s</source>
        <translation> GB/s</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>Batch</translation>
    </message>
    <message>
        <source>this machine</source>
        <translation>diese Maschine</translation>
    </message>
    <message>
        <source>another machine’s profile…</source>
        <translation>Profil einer anderen Maschine…</translation>
    </message>
    <message>
        <source>Link, measured</source>
        <translation>Verbindung, gemessen</translation>
    </message>
    <message>
        <source>Link, as given</source>
        <translation>Verbindung, wie angegeben</translation>
    </message>
    <message>
        <source>Link, assumed</source>
        <translation>Verbindung, angenommen</translation>
    </message>
</context>
<context>
    <name>zigzag::CostPlot</name>
    <message>
        <source>Full</source>
        <translation>Voll</translation>
    </message>
    <message>
        <source>DuoAttention %1</source>
        <translation>DuoAttention %1</translation>
    </message>
    <message>
        <source>Zigzag %1</source>
        <translation>Zigzag %1</translation>
    </message>
    <message>
        <source>This map</source>
        <translation>Diese Karte</translation>
    </message>
    <message>
        <source>context (tokens)</source>
        <translation>Kontext (Token)</translation>
    </message>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>KV memory</source>
        <translation>KV-Speicher</translation>
    </message>
    <message>
        <source>: time to first token</source>
        <translation>: Zeit bis zum ersten Token</translation>
    </message>
    <message>
        <source>: time per output token</source>
        <translation>: Zeit je Token der Ausgabe</translation>
    </message>
    <message>
        <source>prefill time</source>
        <translation>Prefill-Zeit</translation>
    </message>
    <message>
        <source>time per token</source>
        <translation>Zeit je Token</translation>
    </message>
    <message>
        <source>keys kept, all heads</source>
        <translation>behaltene Schlüssel, alle Köpfe</translation>
    </message>
    <message>
        <source>%1 · measured while others slowed it</source>
        <translation>%1 · gemessen, während andere bremsten</translation>
    </message>
    <message>
        <source>%1 · prediction off by %2 (median)</source>
        <translation>%1 · Vorhersage um %2 daneben (Median)</translation>
    </message>
    <message>
        <source>over 1000 %</source>
        <translation>über 1000 %</translation>
    </message>
    <message>
        <source>%1 · kept, measured %2</source>
        <translation>%1 · aufbewahrt, gemessen %2</translation>
    </message>
    <message>
        <source>%1 · predictions: disturbed calibration</source>
        <translation>%1 · Vorhersagen: gestörte Kalibrierung</translation>
    </message>
    <message>
        <source>%1 · %2</source>
        <translation>%1 · %2</translation>
    </message>
    <message>
        <source>%1 in %2</source>
        <translation>%1 in %2</translation>
    </message>
    <message>
        <source>Context %1</source>
        <translation>Kontext %1</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>berechnet</translation>
    </message>
    <message>
        <source>predicted, %1</source>
        <translation>vorhergesagt, %1</translation>
    </message>
    <message>
        <source>predicted, calibrated while disturbed</source>
        <translation>vorhergesagt, gestört kalibriert</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>vorhergesagt</translation>
    </message>
    <message>
        <source>, %1 allocated</source>
        <translation>, %1 belegt</translation>
    </message>
    <message>
        <source>, %1 measured (spread %2; prediction %3)%4</source>
        <translation>, %1 gemessen (Streuung %2; Vorhersage %3)%4</translation>
    </message>
    <message>
        <source>, while other programs slowed the machine</source>
        <translation>, während andere Programme die Maschine bremsten</translation>
    </message>
    <message>
        <source>the plot of TTFT</source>
        <translation>das Diagramm der TTFT</translation>
    </message>
    <message>
        <source>the plot of TPOT</source>
        <translation>das Diagramm der TPOT</translation>
    </message>
    <message>
        <source>the plot of KV memory</source>
        <translation>das Diagramm des KV-Speichers</translation>
    </message>
</context>
<context>
    <name>zigzag::DialogPrompts</name>
    <message>
        <source>Maps, scores, traces, runs, profiles and models (*.json *.tsv *.trace *.gz *.gguf);;All files (*)</source>
        <translation>Karten, Scores, Traces, Läufe, Profile und Modelle (*.json *.tsv *.trace *.gz *.gguf);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Web pages (*.html);;All files (*)</source>
        <translation>Webseiten (*.html);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Head maps (*.json);;All files (*)</source>
        <translation>Kopfkarten (*.json);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Unsaved changes</source>
        <translation>Ungesicherte Änderungen</translation>
    </message>
    <message>
        <source>%1 has changes that are not saved. Save them first?</source>
        <translation>%1 hat ungesicherte Änderungen. Zuerst sichern?</translation>
    </message>
    <message>
        <source>Unfinished search</source>
        <translation>Unfertige Suche</translation>
    </message>
    <message>
        <source>%1 was stopped on %2; what it measured until then is kept.</source>
        <translation>%1 wurde am %2 angehalten; was bis dahin gemessen wurde, ist aufbewahrt.</translation>
    </message>
    <message>
        <source>&amp;Go on</source>
        <translation>&amp;Weitermachen</translation>
    </message>
    <message>
        <source>&amp;Begin anew</source>
        <translation>&amp;Neu beginnen</translation>
    </message>
    <message>
        <source>Go on from there, or begin anew?</source>
        <translation>Von dort weitermachen oder neu beginnen?</translation>
    </message>
    <message>
        <source>Another model</source>
        <translation>Ein anderes Modell</translation>
    </message>
    <message>
        <source>%1. %2 is open and does not fit.</source>
        <translation>%1. %2 ist offen und passt nicht.</translation>
    </message>
    <message>
        <source>&amp;Close the model and open</source>
        <translation>Modell s&amp;chließen und öffnen</translation>
    </message>
    <message>
        <source>Export into a new folder</source>
        <translation>In einen neuen Ordner exportieren</translation>
    </message>
    <message>
        <source>Export to a file</source>
        <translation>In eine Datei exportieren</translation>
    </message>
</context>
<context>
    <name>zigzag::Document</name>
    <message>
        <source>map</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>let heads stream</source>
        <translation>Köpfe streamen lassen</translation>
    </message>
    <message>
        <source>let heads retrieve</source>
        <translation>Köpfe alles behalten lassen</translation>
    </message>
    <message>
        <source>flip heads</source>
        <translation>Köpfe umschalten</translation>
    </message>
    <message>
        <source>flip layer %1</source>
        <translation>Schicht %1 umschalten</translation>
    </message>
    <message>
        <source>apply a map</source>
        <translation>eine Karte anwenden</translation>
    </message>
    <message>
        <source>change sink and recent</source>
        <translation>Senke und Letzte ändern</translation>
    </message>
    <message>
        <source>change scores</source>
        <translation>Scores ändern</translation>
    </message>
    <message>
        <source>unlock layers</source>
        <translation>Schichten entsperren</translation>
    </message>
    <message>
        <source>lock layers</source>
        <translation>Schichten sperren</translation>
    </message>
    <message>
        <source>There are no scores to assign by: score the model, or import a score file</source>
        <translation>Es gibt keine Scores, nach denen sich zuweisen ließe: das Modell bewerten oder eine Scoredatei importieren</translation>
    </message>
    <message>
        <source>assign by %1</source>
        <translation>zuweisen nach %1</translation>
    </message>
    <message>
        <source>assign by place</source>
        <translation>nach dem Platz zuweisen</translation>
    </message>
    <message>
        <source>make exclusive</source>
        <translation>exklusiv machen</translation>
    </message>
</context>
<context>
    <name>zigzag::EngineWorker</name>
    <message>
        <source>No model is loaded: open a model folder, a preset or bundled:zigzag-tiny</source>
        <translation>Kein Modell ist geladen: einen Modellordner, ein Preset oder bundled:zigzag-tiny öffnen</translation>
    </message>
    <message>
        <source>Loading %1</source>
        <translation>%1 wird geladen</translation>
    </message>
</context>
<context>
    <name>zigzag::ExportDialog</name>
    <message>
        <source>Export</source>
        <translation>Export</translation>
    </message>
    <message>
        <source>Cost without sinks</source>
        <translation>Kosten ohne Senken</translation>
    </message>
    <message>
        <source>&amp;Measure what it costs</source>
        <translation>&amp;Messen, was es kostet</translation>
    </message>
    <message>
        <source>Export the map</source>
        <translation>Die Karte exportieren</translation>
    </message>
    <message>
        <source>Target</source>
        <translation>Ziel</translation>
    </message>
    <message>
        <source>Sinks kept</source>
        <translation>Senken behalten</translation>
    </message>
    <message>
        <source>Each head kept</source>
        <translation>Jeder Kopf behalten</translation>
    </message>
    <message>
        <source>KV freed</source>
        <translation>KV frei</translation>
    </message>
    <message>
        <source>From version</source>
        <translation>Ab Version</translation>
    </message>
    <message>
        <source>Export targets and what they keep</source>
        <translation>Exportziele und was sie behalten</translation>
    </message>
    <message>
        <source>What the map costs without its sinks</source>
        <translation>Was die Karte ohne ihre Senken kostet</translation>
    </message>
    <message>
        <source>How far the measurement is</source>
        <translation>Wie weit die Messung ist</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>Copy as command &amp;line</source>
        <translation>Als Kommandozei&amp;le kopieren</translation>
    </message>
    <message>
        <source>stood in for</source>
        <translation>Ersatz</translation>
    </message>
    <message numerus="yes">
        <source>; %n layers keep the model&apos;s own window</source>
        <translation>
            <numerusform>; %n Schicht behält das eigene Fenster des Modells</numerusform>
            <numerusform>; %n Schichten behalten das eigene Fenster des Modells</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Fit after calibration (minutes)</source>
        <translation>Nach der Kalibrierung an&amp;passen (Minuten)</translation>
    </message>
    <message>
        <source>Fits the stand-ins to full attention by their gradient; of a fit that is no better, calibration is kept.</source>
        <translation>Passt den Ersatz über seinen Gradienten an volle Attention an; ist die Anpassung nicht besser, bleibt die Kalibrierung.</translation>
    </message>
    <message>
        <source>&amp;Copy weights</source>
        <translation>&amp;Gewichte kopieren</translation>
    </message>
    <message>
        <source>Otherwise the folder links to the model&apos;s own files, which then must stay where they are.</source>
        <translation>Sonst verweist der Ordner auf die Dateien des Modells, die dann bleiben müssen, wo sie sind.</translation>
    </message>
    <message>
        <source>Calibrate on &amp;texts…</source>
        <translation>Mit &amp;Texten kalibrieren…</translation>
    </message>
    <message>
        <source>Text files like what the model will be asked, 60,000 tokens or more for a fit. Without them, prompts are made.</source>
        <translation>Textdateien, die dem gleichen, was das Modell gefragt wird, 60 000 Token oder mehr für eine Anpassung. Ohne sie werden Prompts gemacht.</translation>
    </message>
    <message>
        <source>calibrated before it is written: open the model with its weights and its tokenizer first</source>
        <translation>vor dem Schreiben kalibriert: zuerst das Modell mit Gewichten und Tokenizer öffnen</translation>
    </message>
    <message>
        <source>Texts to calibrate on</source>
        <translation>Texte zum Kalibrieren</translation>
    </message>
    <message numerus="yes">
        <source>Calibrate on %n &amp;texts…</source>
        <translation>
            <numerusform>Mit %n &amp;Text kalibrieren…</numerusform>
            <numerusform>Mit %n &amp;Texten kalibrieren…</numerusform>
        </translation>
    </message>
    <message>
        <source>A minute or so: calibrates what stands in for sinks, and compares with full attention on other text.</source>
        <translation>Etwa eine Minute: kalibriert den Ersatz für Senken und vergleicht auf anderem Text mit voller Attention.</translation>
    </message>
    <message>
        <source>Stop &amp;measuring</source>
        <translation>M&amp;essung anhalten</translation>
    </message>
    <message>
        <source>%1 would run it so: %2.</source>
        <translation>%1 würde sie so ausführen: %2.</translation>
    </message>
    <message numerus="yes">
        <source>There %n streaming heads of mixed layers retrieve, so that it loses less.</source>
        <translation>
            <numerusform>Dort behält %n streamender Kopf gemischter Schichten alles, so dass weniger verloren geht.</numerusform>
            <numerusform>Dort behalten %n streamende Köpfe gemischter Schichten alles, so dass weniger verloren geht.</numerusform>
        </translation>
    </message>
    <message>
        <source>no</source>
        <translation>nein</translation>
    </message>
</context>
<context>
    <name>zigzag::FindPage</name>
    <message>
        <source>Find layers</source>
        <translation>Schichten finden</translation>
    </message>
    <message>
        <source>the sources of scores</source>
        <translation>die Quellen der Scores</translation>
    </message>
    <message>
        <source>&amp;Search for layers that can stream</source>
        <translation>Schichten &amp;suchen, die streamen können</translation>
    </message>
    <message>
        <source>To search, open the model.</source>
        <translation>Zum Suchen das Modell öffnen.</translation>
    </message>
    <message>
        <source>Searching needs a trained model with its tokenizer.</source>
        <translation>Suchen braucht ein trainiertes Modell mit seinem Tokenizer.</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>das Modell wird geladen…</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
    <message>
        <source>%1: calibrating what stands in for sinks</source>
        <translation>%1: Ersatz für Senken wird kalibriert</translation>
    </message>
    <message>
        <source>%1: %2 of %3</source>
        <translation>%1: %2 von %3</translation>
    </message>
    <message>
        <source>%1: going on from %2 of %3, about %4</source>
        <translation>%1: weiter ab %2 von %3, etwa %4</translation>
    </message>
    <message>
        <source>%1: about %2</source>
        <translation>%1: etwa %2</translation>
    </message>
    <message>
        <source>%1. Esc stops it; what was measured stays.</source>
        <translation>%1. Esc hält es an; was gemessen wurde, bleibt.</translation>
    </message>
</context>
<context>
    <name>zigzag::FindPanel</name>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>How to find the layers that can stream</source>
        <translation>Wie die Schichten gefunden werden, die streamen können</translation>
    </message>
    <message>
        <source>Sources of scores</source>
        <translation>Quellen der Scores</translation>
    </message>
    <message>
        <source>Each layer streams alone; the score is how much less likely that makes the tokens of the right answers.</source>
        <translation>Jede Schicht streamt allein; der Score ist, wie viel unwahrscheinlicher das die Token der richtigen Antworten macht.</translation>
    </message>
    <message>
        <source>Each KV head streams alone; the score is how much less likely that makes the tokens of the right answers.</source>
        <translation>Jeder KV-Kopf streamt allein; der Score ist, wie viel unwahrscheinlicher das die Token der richtigen Antworten macht.</translation>
    </message>
    <message>
        <source>Each layer streams alone; the score is how far that moves the last hidden states where answers are predicted.</source>
        <translation>Jede Schicht streamt allein; der Score ist, wie weit das die letzten verborgenen Zustände bewegt, wo Antworten vorhergesagt werden.</translation>
    </message>
    <message>
        <source>Each KV head streams alone; the score is how far that moves the last hidden states.</source>
        <translation>Jeder KV-Kopf streamt allein; der Score ist, wie weit das die letzten verborgenen Zustände bewegt.</translation>
    </message>
    <message>
        <source>Layers are turned one after another, each time the one beside those turned before that leaves the right answers likeliest.</source>
        <translation>Schichten werden nacheinander umgestellt, jedes Mal die, die neben den früheren die richtigen Antworten am wahrscheinlichsten lässt.</translation>
    </message>
    <message>
        <source>Layers are turned one after another, each time the one beside those turned before that moves the next token&apos;s distribution least.</source>
        <translation>Schichten werden nacheinander umgestellt, jedes Mal die, die neben den früheren die Verteilung des nächsten Tokens am wenigsten bewegt.</translation>
    </message>
    <message>
        <source>Layers are turned one after another, each time the one that costs least beside those turned before.</source>
        <translation>Schichten werden nacheinander umgestellt, jedes Mal die, die neben den früheren am wenigsten kostet.</translation>
    </message>
    <message>
        <source>One gate per layer between full and streaming attention is trained by distillation: the map is exclusive inside the optimisation.</source>
        <translation>Ein Gate je Schicht zwischen voller und streamender Attention wird durch Distillation trainiert: schon die Optimierung ist exklusiv.</translation>
    </message>
    <message>
        <source>A gate per KV head is trained by distillation, as DuoAttention does.</source>
        <translation>Ein Gate je KV-Kopf wird durch Distillation trainiert, wie DuoAttention es tut.</translation>
    </message>
    <message>
        <source>%1 Streaming means %2 sink and %3 recent tokens.</source>
        <translation>%1 Streaming heißt %2 Senken- und %3 letzte Token.</translation>
    </message>
    <message>
        <source>With full attention, the score is how much a KV head adds, directly, to the logits of the right answers out of tokens that a streaming head would not see, also where it copies nothing.</source>
        <translation>Mit voller Attention ist der Score, wie viel ein KV-Kopf unmittelbar zu den Logits der richtigen Antworten aus Token beiträgt, die ein streamender Kopf nicht sähe, auch wo er nichts kopiert.</translation>
    </message>
</context>
<context>
    <name>zigzag::GuideText</name>
    <message>
        <source>Page of the guide</source>
        <translation>Seite der Anleitung</translation>
    </message>
</context>
<context>
    <name>zigzag::GuideWindow</name>
    <message>
        <source>Guide – Zigzag Studio</source>
        <translation>Anleitung – Zigzag Studio</translation>
    </message>
    <message>
        <source>Search the guide</source>
        <translation>Die Anleitung durchsuchen</translation>
    </message>
    <message>
        <source>Pages of the guide</source>
        <translation>Seiten der Anleitung</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Forward</source>
        <translation>Vor</translation>
    </message>
    <message>
        <source>First page</source>
        <translation>Erste Seite</translation>
    </message>
    <message>
        <source>No page has these words</source>
        <translation>Keine Seite hat diese Wörter</translation>
    </message>
</context>
<context>
    <name>zigzag::HeadMapModel</name>
    <message>
        <source>keeps a window</source>
        <translation>behält ein Fenster</translation>
    </message>
    <message>
        <source>keeps the last %1 tokens</source>
        <translation>behält die letzten %1 Token</translation>
    </message>
    <message>
        <source>Layer %1, KV head %2: local, %3, as the model&apos;s own file has it; no map changes it</source>
        <translation>Schicht %1, KV-Kopf %2: lokal, %3, wie die Datei des Modells es hat; keine Karte ändert ihn</translation>
    </message>
    <message>
        <source>Layer %1, KV head %2: retrieval, keeps every token</source>
        <translation>Schicht %1, KV-Kopf %2: Retrieval, behält jedes Token</translation>
    </message>
    <message>
        <source>Layer %1, KV head %2: streaming, keeps %3 sink and %4 recent tokens</source>
        <translation>Schicht %1, KV-Kopf %2: Streaming, behält %3 Senken- und %4 letzte Token</translation>
    </message>
    <message>
        <source>
Score %1</source>
        <translation>
Score %1</translation>
    </message>
    <message>
        <source> ± %1</source>
        <translation> ± %1</translation>
    </message>
    <message>
        <source> (%1)</source>
        <translation> (%1)</translation>
    </message>
    <message>
        <source>layer %1, KV head %2: %3</source>
        <translation>Schicht %1, KV-Kopf %2: %3</translation>
    </message>
    <message>
        <source>local</source>
        <translation>lokal</translation>
    </message>
    <message>
        <source>retrieval</source>
        <translation>Retrieval</translation>
    </message>
    <message>
        <source>streaming</source>
        <translation>Streaming</translation>
    </message>
    <message>
        <source>, score %1</source>
        <translation>, Score %1</translation>
    </message>
    <message>
        <source>, locked</source>
        <translation>, gesperrt</translation>
    </message>
    <message>
        <source>
Mean score %1</source>
        <translation>
Mittlerer Score %1</translation>
    </message>
    <message>
        <source>, rank %1 of %2</source>
        <translation>, Rang %1 von %2</translation>
    </message>
    <message>
        <source>; the cut at %1 retrieving layers lies at %2</source>
        <translation>; der Schnitt bei %1 Retrieval-Schichten liegt bei %2</translation>
    </message>
    <message>
        <source>Layer %1: %2</source>
        <translation>Schicht %1: %2</translation>
    </message>
    <message>
        <source>: %1, as the model&apos;s own file has it; no map changes it</source>
        <translation>: %1, wie die Datei des Modells es hat; keine Karte ändert sie</translation>
    </message>
    <message>
        <source>, locked against re-assignment</source>
        <translation>, gegen neues Zuweisen gesperrt</translation>
    </message>
    <message>
        <source>
%1 flipped, %2 demoted</source>
        <translation>
%1 vertauscht, %2 herabgestuft</translation>
    </message>
    <message>
        <source>
%1 %2: attention %3, projections %4, MLP %5, norms and the like %6</source>
        <translation>
%1 %2: Attention %3, Projektionen %4, MLP %5, Normen und dergleichen %6</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>vorhergesagt</translation>
    </message>
    <message>
        <source>measured</source>
        <translation>gemessen</translation>
    </message>
    <message>
        <source>
Loss when it alone streams: %1 ± %2 (standard error)</source>
        <translation>
Verlust, wenn sie allein streamt: %1 ± %2 (Standardfehler)</translation>
    </message>
</context>
<context>
    <name>zigzag::HeadMapPainter</name>
    <message>
        <source>Kind</source>
        <translation>Art</translation>
    </message>
    <message>
        <source>Flipped / demoted</source>
        <translation>Vertauscht / herabgestuft</translation>
    </message>
    <message>
        <source>loss if it alone streams, log</source>
        <translation>Verlust, wenn sie allein streamt, log</translation>
    </message>
    <message>
        <source>Score and cut</source>
        <translation>Score und Schnitt</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>KV head</source>
        <translation>KV-Kopf</translation>
    </message>
    <message>
        <source>R</source>
        <translation>R</translation>
    </message>
    <message>
        <source>S</source>
        <translation>S</translation>
    </message>
    <message>
        <source>L</source>
        <translation>L</translation>
    </message>
    <message>
        <source>mixed</source>
        <translation>gemischt</translation>
    </message>
</context>
<context>
    <name>zigzag::HeadMapView</name>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>KV head %1</source>
        <translation>KV-Kopf %1</translation>
    </message>
    <message>
        <source>Head map</source>
        <translation>Kopfkarte</translation>
    </message>
    <message>
        <source>the head map</source>
        <translation>die Kopfkarte</translation>
    </message>
</context>
<context>
    <name>zigzag::HeadlineBar</name>
    <message>
        <source>measured</source>
        <translation>gemessen</translation>
    </message>
    <message>
        <source>disturbed</source>
        <translation>gestört</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>vorhergesagt</translation>
    </message>
    <message>
        <source>predicted, kept</source>
        <translation>vorhergesagt, aufbewahrt</translation>
    </message>
    <message>
        <source>predicted, disturbed</source>
        <translation>vorhergesagt, gestört</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>berechnet</translation>
    </message>
    <message>
        <source>&lt;b&gt;%1 %2&lt;/b&gt; (%3, %4)</source>
        <translation>&lt;b&gt;%1 %2&lt;/b&gt; (%3, %4)</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>KV</source>
        <translation>KV</translation>
    </message>
    <message>
        <source>%1 keys</source>
        <translation>%1 Schlüssel</translation>
    </message>
    <message>
        <source>&lt;b&gt;Needle %1 so far&lt;/b&gt;</source>
        <translation>&lt;b&gt;Nadel %1 bisher&lt;/b&gt;</translation>
    </message>
    <message>
        <source>&lt;b&gt;Needle %1&lt;/b&gt; (full %2, measured)</source>
        <translation>&lt;b&gt;Nadel %1&lt;/b&gt; (voll %2, gemessen)</translation>
    </message>
    <message>
        <source>&lt;b&gt;Needle %1&lt;/b&gt; (measured)</source>
        <translation>&lt;b&gt;Nadel %1&lt;/b&gt; (gemessen)</translation>
    </message>
    <message>
        <source>At %1 tokens, against full: </source>
        <translation>Bei %1 Token, gegen voll: </translation>
    </message>
    <message>
        <source>Times are %1, until this machine has been calibrated.</source>
        <translation>Zeiten sind %1, bis diese Maschine kalibriert ist.</translation>
    </message>
</context>
<context>
    <name>zigzag::InspectorPage</name>
    <message>
        <source>Why this layer</source>
        <translation>Warum diese Schicht</translation>
    </message>
    <message>
        <source>What each source of scores says</source>
        <translation>Was jede Quelle von Scores sagt</translation>
    </message>
    <message>
        <source>What it costs either way</source>
        <translation>Was sie so oder so kostet</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>prompt; empty: a needle question</source>
        <translation>ein Prompt; leer: eine Nadelfrage</translation>
    </message>
    <message>
        <source>Query head</source>
        <translation>Anfragekopf</translation>
    </message>
    <message>
        <source>Pooling</source>
        <translation>Verdichtung</translation>
    </message>
    <message>
        <source>largest of each dot</source>
        <translation>größtes jedes Punktes</translation>
    </message>
    <message>
        <source>mean of each dot</source>
        <translation>Mittel jedes Punktes</translation>
    </message>
    <message>
        <source>Show what the head a&amp;ttends to</source>
        <translation>Zeigen, worauf der Kopf a&amp;chtet</translation>
    </message>
    <message>
        <source>Show attention</source>
        <translation>Attention zeigen</translation>
    </message>
    <message>
        <source>the sources on this layer</source>
        <translation>die Quellen zu dieser Schicht</translation>
    </message>
    <message>
        <source>the costs of this layer</source>
        <translation>die Kosten dieser Schicht</translation>
    </message>
    <message>
        <source>it keeps every token</source>
        <translation>sie behält jedes Token</translation>
    </message>
    <message>
        <source>it keeps %1 sink and %2 recent tokens</source>
        <translation>sie behält %1 Senken- und %2 letzte Token</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
    <message>
        <source>, which is not what the map says</source>
        <translation>, was nicht ist, was die Karte sagt</translation>
    </message>
    <message>
        <source>; something stands in for its sinks</source>
        <translation>; für ihre Senken steht ein Ersatz</translation>
    </message>
    <message>
        <source>Choose a layer in the head map.</source>
        <translation>In der Kopfkarte eine Schicht wählen.</translation>
    </message>
    <message>
        <source>There is no map yet.</source>
        <translation>Es gibt noch keine Karte.</translation>
    </message>
    <message>
        <source>%1 layers are selected; this is the first of them.</source>
        <translation>%1 Schichten sind gewählt; dies ist die erste davon.</translation>
    </message>
    <message>
        <source>What does a head of it look at?</source>
        <translation>Worauf achtet einer ihrer Köpfe?</translation>
    </message>
    <message>
        <source>To see what a head looks at, open the model.</source>
        <translation>Um zu sehen, worauf ein Kopf achtet, das Modell öffnen.</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>das Modell wird geladen…</translation>
    </message>
    <message>
        <source>To see what a head looks at needs a model with its tokenizer.</source>
        <translation>Um zu sehen, worauf ein Kopf achtet, braucht es ein Modell mit seinem Tokenizer.</translation>
    </message>
    <message>
        <source>query head %1</source>
        <translation>Anfragekopf %1</translation>
    </message>
    <message>
        <source>Layer %1, KV head %2, over %3 tokens with full attention.</source>
        <translation>Schicht %1, KV-Kopf %2, über %3 Token mit voller Attention.</translation>
    </message>
    <message>
        <source> Its queries give %1 to sinks, %2 to the window and %3 to what a streaming head would not see.</source>
        <translation> Seine Anfragen geben %1 den Senken, %2 dem Fenster und %3 dem, was ein streamender Kopf nicht sähe.</translation>
    </message>
    <message>
        <source> Sinks and window hold the whole of it.</source>
        <translation> Senken und Fenster enthalten alles davon.</translation>
    </message>
    <message>
        <source>Attention of layer %1, KV head %2</source>
        <translation>Attention der Schicht %1, KV-Kopf %2</translation>
    </message>
    <message>
        <source> It adds %1 to the right answer&apos;s logit of %2, %3 of it from what a streaming head would not see.</source>
        <translation> Er trägt %1 zum Logit %2 der richtigen Antwort bei, %3 davon aus dem, was ein streamender Kopf nicht sähe.</translation>
    </message>
</context>
<context>
    <name>zigzag::JobList</name>
    <message>
        <source>waits</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>runs</source>
        <translation>läuft</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>gescheitert</translation>
    </message>
    <message>
        <source>taken out before it began</source>
        <translation>vor Beginn herausgenommen</translation>
    </message>
    <message>
        <source>waits for a stopped run</source>
        <translation>wartet auf einen angehaltenen Lauf</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>etwa %1</translation>
    </message>
    <message>
        <source>took %1</source>
        <translation>dauerte %1</translation>
    </message>
    <message>
        <source>Job</source>
        <translation>Auftrag</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>What it says</source>
        <translation>Was er sagt</translation>
    </message>
</context>
<context>
    <name>zigzag::JobsPage</name>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
    <message>
        <source>Nothing has run yet. What runs and what waits stands here, and what has ended.</source>
        <translation>Noch ist nichts gelaufen. Was läuft und was wartet, steht hier, und was geendet hat.</translation>
    </message>
    <message>
        <source>&amp;End or take out the chosen job</source>
        <translation>Den gewählten Auftrag b&amp;eenden oder herausnehmen</translation>
    </message>
    <message>
        <source>&amp;Go on with the chosen job, or run it again</source>
        <translation>Mit dem gewählten Auftrag &amp;weitermachen oder ihn noch einmal ausführen</translation>
    </message>
    <message>
        <source>Copy the chosen job as command &amp;line</source>
        <translation>Den gewählten Auftrag als Kommandozei&amp;le kopieren</translation>
    </message>
    <message>
        <source>&amp;Forget the jobs that have ended</source>
        <translation>Die geendeten Aufträge &amp;vergessen</translation>
    </message>
    <message>
        <source>the list of jobs</source>
        <translation>die Liste der Aufträge</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>Als Kommandozeile kopieren</translation>
    </message>
    <message>
        <source>Forget ended</source>
        <translation>Geendete vergessen</translation>
    </message>
    <message>
        <source>Run again</source>
        <translation>Noch einmal ausführen</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Weitermachen</translation>
    </message>
</context>
<context>
    <name>zigzag::LayerChangesModel</name>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>all in %1 of %2 heads, else %3</source>
        <translation>alles in %1 von %2 Köpfen, sonst %3</translation>
    </message>
    <message numerus="yes">
        <source>%n layers differ</source>
        <translation>
            <numerusform>%n Schicht unterscheidet sich</numerusform>
            <numerusform>%n Schichten unterscheiden sich</numerusform>
        </translation>
    </message>
    <message>
        <source>recorded</source>
        <translation>aufgezeichnet</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>vorhergesagt</translation>
    </message>
    <message>
        <source>Ablation</source>
        <translation>Ablation</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Keeps</source>
        <translation>Behält</translation>
    </message>
    <message>
        <source>KV bytes</source>
        <translation>KV-Bytes</translation>
    </message>
    <message>
        <source>KV keys</source>
        <translation>KV-Schlüssel</translation>
    </message>
    <message>
        <source>Decode, %1</source>
        <translation>Decode, %1</translation>
    </message>
    <message>
        <source>Prefill, %1</source>
        <translation>Prefill, %1</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>Score</translation>
    </message>
    <message>
        <source>Demoted</source>
        <translation>Herabgestuft</translation>
    </message>
    <message>
        <source>%1 of the left map</source>
        <translation>%1 der linken Karte</translation>
    </message>
    <message>
        <source>%1 of the right map</source>
        <translation>%1 der rechten Karte</translation>
    </message>
    <message>
        <source>tokens kept</source>
        <translation>behaltene Token</translation>
    </message>
    <message>
        <source>decode ms (%1)</source>
        <translation>decode ms (%1)</translation>
    </message>
    <message>
        <source>prefill ms (%1)</source>
        <translation>prefill ms (%1)</translation>
    </message>
    <message>
        <source>highest score of heads that differ</source>
        <translation>höchster Score der Köpfe, die sich unterscheiden</translation>
    </message>
    <message>
        <source>demoted heads</source>
        <translation>herabgestufte Köpfe</translation>
    </message>
    <message>
        <source>loss by %1</source>
        <translation>Verlust nach %1</translation>
    </message>
    <message>
        <source>standard error of the loss</source>
        <translation>Standardfehler des Verlusts</translation>
    </message>
    <message>
        <source>Layers in which the two maps keep other keys</source>
        <translation>Schichten, in denen die zwei Karten andere Schlüssel behalten</translation>
    </message>
    <message>
        <source>What its heads keep: all tokens, or sink + recent. The left map → the right one.</source>
        <translation>Was ihre Köpfe behalten: alle Token, oder Senke + letzte. Die linke Karte → die rechte.</translation>
    </message>
    <message>
        <source>What the cache takes at the context that the window speaks of. The left map → the right one.</source>
        <translation>Was der Cache beim Kontext einnimmt, von dem das Fenster spricht. Die linke Karte → die rechte.</translation>
    </message>
    <message>
        <source>Time of the layer in one output token. The left map → the right one.</source>
        <translation>Zeit der Schicht in einem Token der Ausgabe. Die linke Karte → die rechte.</translation>
    </message>
    <message>
        <source>Time of the layer in the prefill. The left map → the right one.</source>
        <translation>Zeit der Schicht im Prefill. Die linke Karte → die rechte.</translation>
    </message>
    <message>
        <source>The highest score of the heads that differ. </source>
        <translation>Der höchste Score der Köpfe, die sich unterscheiden. </translation>
    </message>
    <message>
        <source> The left map → the right one.</source>
        <translation> Die linke Karte → die rechte.</translation>
    </message>
    <message>
        <source>What streaming this layer alone costs, once “Find layers” has ablated layers in this window.</source>
        <translation>Was es kostet, diese Schicht allein zu streamen, sobald „Schichten finden“ in diesem Fenster jede einzeln hat streamen lassen.</translation>
    </message>
    <message>
        <source>What streaming this layer alone costs in the answers&apos; loss or distance, and its standard error.</source>
        <translation>Was es in Verlust oder Abstand der Antworten kostet, diese Schicht allein zu streamen, und der Standardfehler davon.</translation>
    </message>
</context>
<context>
    <name>zigzag::LayerCostsModel</name>
    <message>
        <source>Now</source>
        <translation>Jetzt</translation>
    </message>
    <message>
        <source>If it streams</source>
        <translation>Wenn sie streamt</translation>
    </message>
    <message>
        <source>If it retrieves</source>
        <translation>Wenn sie alles behält</translation>
    </message>
</context>
<context>
    <name>zigzag::LayerOpinionsModel</name>
    <message>
        <source>The scores in front, whose cut the head map shows</source>
        <translation>Die Scores im Vordergrund, deren Schnitt die Kopfkarte zeigt</translation>
    </message>
    <message>
        <source>retrieves</source>
        <translation>behält alles</translation>
    </message>
    <message>
        <source>streams</source>
        <translation>streamt</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>What the layer would do by this source, at as many retrieving layers as the map has now</source>
        <translation>Was die Schicht nach dieser Quelle täte, bei so vielen Retrieval-Schichten, wie die Karte jetzt hat</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>It</source>
        <translation>Sie</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>Score</translation>
    </message>
    <message>
        <source>From the cut</source>
        <translation>Vom Schnitt</translation>
    </message>
    <message>
        <source>Rank</source>
        <translation>Rang</translation>
    </message>
    <message>
        <source>Loss alone</source>
        <translation>Verlust allein</translation>
    </message>
</context>
<context>
    <name>zigzag::LongRunNotice</name>
    <message>
        <source>%1 is done</source>
        <translation>%1 ist fertig</translation>
    </message>
    <message>
        <source>%1 failed</source>
        <translation>%1 ist gescheitert</translation>
    </message>
    <message>
        <source>It took %1.</source>
        <translation>Es dauerte %1.</translation>
    </message>
    <message>
        <source>After %1: %2</source>
        <translation>Nach %1: %2</translation>
    </message>
</context>
<context>
    <name>zigzag::MainWindow</name>
    <message>
        <source>untitled map</source>
        <translation>unbenannte Karte</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>Zigzag Studio</source>
        <translation>Zigzag Studio</translation>
    </message>
    <message>
        <source>%1[*] – Zigzag Studio</source>
        <translation>%1[*] – Zigzag Studio</translation>
    </message>
    <message>
        <source>%1[*] – %2 – Zigzag Studio</source>
        <translation>%1[*] – %2 – Zigzag Studio</translation>
    </message>
    <message>
        <source>&amp;Open session, map, scores, trace, runs or GGUF model…</source>
        <translation>Sitzung, Karte, Scores, Trace, Läufe oder GGUF-Modell ö&amp;ffnen…</translation>
    </message>
    <message>
        <source>Open a session, a map, scores, a trace, runs or a GGUF model</source>
        <translation>Eine Sitzung, eine Karte, Scores, einen Trace, Läufe oder ein GGUF-Modell öffnen</translation>
    </message>
    <message>
        <source>Open model &amp;folder…</source>
        <translation>Modell&amp;ordner öffnen…</translation>
    </message>
    <message>
        <source>Ctrl+Shift+O</source>
        <translation>Ctrl+Shift+O</translation>
    </message>
    <message>
        <source>Open a model folder</source>
        <translation>Einen Modellordner öffnen</translation>
    </message>
    <message>
        <source>Open model &amp;without weights…</source>
        <translation>Modell ohne &amp;Gewichte öffnen…</translation>
    </message>
    <message>
        <source>Open a config.json or a GGUF file without its weights</source>
        <translation>Eine config.json oder eine GGUF-Datei ohne ihre Gewichte öffnen</translation>
    </message>
    <message>
        <source>&amp;Import scores…</source>
        <translation>Scores &amp;importieren…</translation>
    </message>
    <message>
        <source>Ctrl+I</source>
        <translation>Ctrl+I</translation>
    </message>
    <message>
        <source>Import scores</source>
        <translation>Scores importieren</translation>
    </message>
    <message>
        <source>&amp;Save map</source>
        <translation>Karte &amp;sichern</translation>
    </message>
    <message>
        <source>Save map &amp;as…</source>
        <translation>Karte sichern &amp;unter…</translation>
    </message>
    <message>
        <source>Ctrl+Shift+S</source>
        <translation>Ctrl+Shift+S</translation>
    </message>
    <message>
        <source>Save sessio&amp;n</source>
        <translation>Sitzu&amp;ng sichern</translation>
    </message>
    <message>
        <source>Ctrl+Alt+S</source>
        <translation>Ctrl+Alt+S</translation>
    </message>
    <message>
        <source>Keep everything that was worked out with this model in one file</source>
        <translation>Alles, was mit diesem Modell erarbeitet wurde, in einer Datei aufbewahren</translation>
    </message>
    <message>
        <source>Save session as…</source>
        <translation>Sitzung sichern unter…</translation>
    </message>
    <message>
        <source>&amp;Export map…</source>
        <translation>Karte e&amp;xportieren…</translation>
    </message>
    <message>
        <source>Ctrl+E</source>
        <translation>Ctrl+E</translation>
    </message>
    <message>
        <source>Report for a collea&amp;gue…</source>
        <translation>Be&amp;richt zum Weitergeben…</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Ctrl+Q</source>
        <translation>Ctrl+Q</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>Ctrl+Y</source>
        <translation>Ctrl+Y</translation>
    </message>
    <message>
        <source>&amp;Flip heads</source>
        <translation>Köpfe &amp;umschalten</translation>
    </message>
    <message>
        <source>Let heads &amp;retrieve</source>
        <translation>Köpfe &amp;alles behalten lassen</translation>
    </message>
    <message>
        <source>Let heads &amp;stream</source>
        <translation>Köpfe &amp;streamen lassen</translation>
    </message>
    <message>
        <source>&amp;Lock layers</source>
        <translation>Schichten s&amp;perren</translation>
    </message>
    <message>
        <source>Select &amp;all heads</source>
        <translation>A&amp;lle Köpfe auswählen</translation>
    </message>
    <message>
        <source>&amp;Make exclusive</source>
        <translation>&amp;Exklusiv machen</translation>
    </message>
    <message>
        <source>Ctrl+M</source>
        <translation>Ctrl+M</translation>
    </message>
    <message>
        <source>&amp;Preferences…</source>
        <translation>E&amp;instellungen…</translation>
    </message>
    <message>
        <source>Ctrl+,</source>
        <translation>Ctrl+,</translation>
    </message>
    <message>
        <source>&amp;Measure</source>
        <translation>&amp;Messen</translation>
    </message>
    <message>
        <source>Measure TTFT, TPOT and KV memory of all series (F5)</source>
        <translation>TTFT, TPOT und KV-Speicher aller Reihen messen (F5)</translation>
    </message>
    <message>
        <source>&amp;Needle</source>
        <translation>&amp;Nadel</translation>
    </message>
    <message>
        <source>Ask this map and full attention for keys hidden in long text (F6)</source>
        <translation>Diese Karte und volle Attention nach Schlüsseln fragen, die in langem Text versteckt sind (F6)</translation>
    </message>
    <message>
        <source>&amp;Score heads</source>
        <translation>Köpfe &amp;bewerten</translation>
    </message>
    <message>
        <source>Score every KV head by the attention it pays to needles (F7)</source>
        <translation>Jeden KV-Kopf nach der Attention bewerten, die er Nadeln gibt (F7)</translation>
    </message>
    <message>
        <source>&amp;Calibrate predictions</source>
        <translation>Vorhersagen &amp;kalibrieren</translation>
    </message>
    <message>
        <source>Check a ser&amp;ver…</source>
        <translation>Einen Ser&amp;ver prüfen…</translation>
    </message>
    <message>
        <source>Ask a running server whether it applies this map, and how fast it is</source>
        <translation>Einen laufenden Server fragen, ob er diese Karte anwendet und wie schnell er ist</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Stop the current run; what waits goes on (Esc, when there is nothing else to leave)</source>
        <translation>Den jetzigen Lauf anhalten; was wartet, geht weiter (Esc, wenn nichts anderes zu verlassen ist)</translation>
    </message>
    <message>
        <source>Theme: as the &amp;desktop</source>
        <translation>Aussehen: wie der &amp;Desktop</translation>
    </message>
    <message>
        <source>Theme: &amp;light</source>
        <translation>Aussehen: &amp;hell</translation>
    </message>
    <message>
        <source>Theme: &amp;dark</source>
        <translation>Aussehen: d&amp;unkel</translation>
    </message>
    <message>
        <source>Reset la&amp;yout</source>
        <translation>A&amp;nordnung zurücksetzen</translation>
    </message>
    <message>
        <source>Command &amp;palette</source>
        <translation>Be&amp;fehle</translation>
    </message>
    <message>
        <source>Ctrl+Shift+P</source>
        <translation>Ctrl+Shift+P</translation>
    </message>
    <message>
        <source>&amp;Guide</source>
        <translation>&amp;Anleitung</translation>
    </message>
    <message>
        <source>What one does here, with pictures (F1)</source>
        <translation>Was man hier tut, mit Bildern (F1)</translation>
    </message>
    <message>
        <source>G&amp;lossary</source>
        <translation>&amp;Glossar</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts</source>
        <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
        <source>?</source>
        <translation>?</translation>
    </message>
    <message>
        <source>&amp;About and licences</source>
        <translation>Ü&amp;ber Zigzag Studio und Lizenzen</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>Open &amp;built-in model</source>
        <translation>&amp;Eingebautes Modell öffnen</translation>
    </message>
    <message>
        <source>Open built-in s&amp;hape without weights</source>
        <translation>Eingebaute For&amp;m ohne Gewichte öffnen</translation>
    </message>
    <message>
        <source>Open without weights: </source>
        <translation>Ohne Gewichte öffnen: </translation>
    </message>
    <message>
        <source>Open built-in model: </source>
        <translation>Eingebautes Modell öffnen: </translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>&amp;Lauf</translation>
    </message>
    <message>
        <source>Save plot or &amp;table</source>
        <translation>Diagramm oder &amp;Tabelle sichern</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Keys and values in</source>
        <translation>&amp;Schlüssel und Werte in</translation>
    </message>
    <message>
        <source>Keys and values in: </source>
        <translation>Schlüssel und Werte in: </translation>
    </message>
    <message>
        <source>the weights&apos; own type</source>
        <translation>dem eigenen Typ der Gewichte</translation>
    </message>
    <message>
        <source>&amp;Size of saved pictures</source>
        <translation>&amp;Größe gesicherter Bilder</translation>
    </message>
    <message>
        <source>As on the screen</source>
        <translation>Wie auf dem Bildschirm</translation>
    </message>
    <message>
        <source>A column of a paper, 85 mm</source>
        <translation>Eine Spalte eines Artikels, 85 mm</translation>
    </message>
    <message>
        <source>The width of a page, 180 mm</source>
        <translation>Die Breite einer Seite, 180 mm</translation>
    </message>
    <message>
        <source>A slide, 16 : 9</source>
        <translation>Eine Folie, 16 : 9</translation>
    </message>
    <message>
        <source>Size of saved pictures: </source>
        <translation>Größe gesicherter Bilder: </translation>
    </message>
    <message>
        <source>As serve&amp;d by</source>
        <translation>Be&amp;dient von</translation>
    </message>
    <message>
        <source>As served by: </source>
        <translation>Bedient von: </translation>
    </message>
    <message>
        <source>zigzag&apos;s own engine</source>
        <translation>zigzags Engine</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>Page: </source>
        <translation>Seite: </translation>
    </message>
    <message>
        <source>benchmark latency speed TTFT TPOT time</source>
        <translation>Benchmark Latenz Geschwindigkeit TTFT TPOT Zeit</translation>
    </message>
    <message>
        <source>passkey retrieval haystack ask quality</source>
        <translation>Passkey Retrieval Heuhaufen fragen Qualität</translation>
    </message>
    <message>
        <source>attention rank importance</source>
        <translation>Attention Rang Wichtigkeit</translation>
    </message>
    <message>
        <source>cost model predict</source>
        <translation>Kostenmodell vorhersagen</translation>
    </message>
    <message>
        <source>vLLM SGLang llama.cpp OpenAI applied running URL</source>
        <translation>vLLM SGLang llama.cpp OpenAI angewendet läuft URL</translation>
    </message>
    <message>
        <source>stop abort</source>
        <translation>Stopp Abbruch</translation>
    </message>
    <message>
        <source>vLLM SGLang transformers llama.cpp deploy</source>
        <translation>vLLM SGLang transformers llama.cpp ausliefern</translation>
    </message>
    <message>
        <source>load open</source>
        <translation>laden öffnen</translation>
    </message>
    <message>
        <source>whole layers zigzag</source>
        <translation>ganze Schichten zigzag</translation>
    </message>
    <message>
        <source>help keys mouse</source>
        <translation>Hilfe Tasten Maus</translation>
    </message>
    <message>
        <source>settings options threads memory font size contexts patience</source>
        <translation>Einstellungen Optionen Threads Speicher Schriftgröße Kontexte Geduld Sprache</translation>
    </message>
    <message>
        <source>help manual documentation tutorial how</source>
        <translation>Hilfe Handbuch Dokumentation Einführung wie</translation>
    </message>
    <message>
        <source>words terms meaning help</source>
        <translation>Wörter Begriffe Bedeutung Hilfe</translation>
    </message>
    <message>
        <source>pareto trade-off front loss</source>
        <translation>Pareto Abwägung Front Verlust</translation>
    </message>
    <message>
        <source>find ablation greedy gates answer loss likelihood KL</source>
        <translation>finden Ablation Greedy Gates Antwortverlust Wahrscheinlichkeit KL</translation>
    </message>
    <message>
        <source>profile timeline ops</source>
        <translation>Profil Zeitleiste Ops</translation>
    </message>
    <message>
        <source>trace timeline ops</source>
        <translation>Trace Zeitleiste Ops</translation>
    </message>
    <message>
        <source>sort rank cut</source>
        <translation>ordnen Rang Schnitt</translation>
    </message>
    <message>
        <source>score values digits</source>
        <translation>Score Werte Ziffern</translation>
    </message>
    <message>
        <source>matrix picture tokens keys needle</source>
        <translation>Matrix Bild Token Schlüssel Nadel</translation>
    </message>
    <message>
        <source>inspector explain score cut rank attention</source>
        <translation>Inspektor erklären Score Schnitt Rang Attention</translation>
    </message>
    <message>
        <source>pareto sweep trade-off</source>
        <translation>Pareto Sweep Abwägung</translation>
    </message>
    <message>
        <source>compare benchmarks</source>
        <translation>vergleichen Benchmarks</translation>
    </message>
    <message>
        <source>TTFT TPOT KV memory</source>
        <translation>TTFT TPOT KV-Speicher</translation>
    </message>
    <message>
        <source>criterion sparsity budget</source>
        <translation>Kriterium Sparsity Budget</translation>
    </message>
    <message>
        <source>Open recent: </source>
        <translation>Zuletzt geöffnet: </translation>
    </message>
    <message>
        <source>Click, drag</source>
        <translation>Klick, Ziehen</translation>
    </message>
    <message>
        <source>flip heads; a drag is one step of undo</source>
        <translation>Köpfe umschalten; ein Zug ist ein Schritt des Rückgängigmachens</translation>
    </message>
    <message>
        <source>Shift+click, Shift+drag, Shift+arrows</source>
        <translation>Umschalt+Klick, Umschalt+Ziehen, Umschalt+Pfeile</translation>
    </message>
    <message>
        <source>select heads</source>
        <translation>Köpfe auswählen</translation>
    </message>
    <message>
        <source>Ctrl+click</source>
        <translation>Strg+Klick</translation>
    </message>
    <message>
        <source>add heads to the selection</source>
        <translation>Köpfe zur Auswahl hinzufügen</translation>
    </message>
    <message>
        <source>Arrows, Home, End, Page</source>
        <translation>Pfeile, Pos1, Ende, Bild</translation>
    </message>
    <message>
        <source>move through the heads</source>
        <translation>durch die Köpfe gehen</translation>
    </message>
    <message>
        <source>Double-click a layer number</source>
        <translation>Doppelklick auf eine Schichtnummer</translation>
    </message>
    <message>
        <source>flip the whole layer</source>
        <translation>die ganze Schicht umschalten</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>leave a stroke, a search, a selection; then stop the run</source>
        <translation>einen Zug, eine Suche, eine Auswahl verlassen; dann den Lauf anhalten</translation>
    </message>
    <message>
        <source>Timeline: W, S or +, −, Ctrl+wheel</source>
        <translation>Zeitleiste: W, S oder +, −, Strg+Rad</translation>
    </message>
    <message>
        <source>zoom in and out</source>
        <translation>hinein- und herauszoomen</translation>
    </message>
    <message>
        <source>Timeline: A, D, Shift+wheel, Home</source>
        <translation>Zeitleiste: A, D, Umschalt+Rad, Pos1</translation>
    </message>
    <message>
        <source>move through time, back to the whole</source>
        <translation>durch die Zeit gehen, zurück zum Ganzen</translation>
    </message>
    <message>
        <source>Timeline: arrows</source>
        <translation>Zeitleiste: Pfeile</translation>
    </message>
    <message>
        <source>go from item to item, and from lane to lane</source>
        <translation>von Eintrag zu Eintrag gehen, und von Spur zu Spur</translation>
    </message>
    <message>
        <source>Timeline: F, Enter</source>
        <translation>Zeitleiste: F, Eingabe</translation>
    </message>
    <message>
        <source>show what is chosen as large as the window</source>
        <translation>das Gewählte so groß wie das Fenster zeigen</translation>
    </message>
    <message>
        <source>Timeline: drag</source>
        <translation>Zeitleiste: Ziehen</translation>
    </message>
    <message>
        <source>select a stretch of time; Esc leaves it</source>
        <translation>ein Stück Zeit wählen; Esc verlässt es</translation>
    </message>
    <message>
        <source>%1 is no model: give a folder or its config.json, a GGUF file or preset:NAME</source>
        <translation>%1 ist kein Modell: einen Ordner oder dessen config.json, eine GGUF-Datei oder preset:NAME angeben</translation>
    </message>
    <message>
        <source>%1 is open without weights: nothing is measured or asked. KV memory is exact; for times choose a machine profile on the page Latency and memory (zigzag calibrate writes one).</source>
        <translation>%1 ist ohne Gewichte offen: nichts wird gemessen oder gefragt. KV-Speicher ist exakt; für Zeiten auf der Seite Latenz und Speicher ein Maschinenprofil wählen (zigzag calibrate schreibt eines).</translation>
    </message>
    <message>
        <source>%1 has scores for %2 layers of %3 KV heads</source>
        <translation>%1 hat Scores für %2 Schichten mit %3 KV-Köpfen</translation>
    </message>
    <message>
        <source>The untitled map</source>
        <translation>Die unbenannte Karte</translation>
    </message>
    <message>
        <source>Save the map</source>
        <translation>Die Karte sichern</translation>
    </message>
    <message>
        <source>Exported to %1. Against full attention, on other text: %2</source>
        <translation>Nach %1 exportiert. Gegen volle Attention, auf anderem Text: %2</translation>
    </message>
    <message>
        <source>Exported to %1</source>
        <translation>Nach %1 exportiert</translation>
    </message>
    <message>
        <source>Write a report</source>
        <translation>Einen Bericht schreiben</translation>
    </message>
    <message>
        <source>A head map</source>
        <translation>Eine Kopfkarte</translation>
    </message>
    <message>
        <source>A head map for %1</source>
        <translation>Eine Kopfkarte für %1</translation>
    </message>
    <message>
        <source>Wrote the report to %1</source>
        <translation>Der Bericht steht in %1</translation>
    </message>
    <message>
        <source>What you do here goes into a session of its own.</source>
        <translation>Was hier getan wird, kommt in eine eigene Sitzung.</translation>
    </message>
    <message>
        <source>Saved %1</source>
        <translation>%1 gesichert</translation>
    </message>
    <message>
        <source>session</source>
        <translation>Sitzung</translation>
    </message>
    <message>
        <source>Save the session</source>
        <translation>Die Sitzung sichern</translation>
    </message>
    <message>
        <source>Saved %1; from now on it is kept as you work</source>
        <translation>%1 gesichert; von nun an wird sie beim Arbeiten aufbewahrt</translation>
    </message>
    <message>
        <source>&amp;Variants</source>
        <translation>&amp;Varianten</translation>
    </message>
    <message>
        <source>&amp;Copy this map as another variant…</source>
        <translation>Diese Karte als weitere Variante &amp;kopieren…</translation>
    </message>
    <message>
        <source>Ctrl+D</source>
        <translation>Ctrl+D</translation>
    </message>
    <message>
        <source>Another variant</source>
        <translation>Eine weitere Variante</translation>
    </message>
    <message>
        <source>What it is called:</source>
        <translation>Wie sie heißen soll:</translation>
    </message>
    <message>
        <source>Go on with a copy of this map, which has a name and an undo history of its own</source>
        <translation>Mit einer Kopie dieser Karte weitermachen, die einen eigenen Namen und eigenes Rückgängigmachen hat</translation>
    </message>
    <message>
        <source>&amp;Rename this variant…</source>
        <translation>Diese Variante &amp;umbenennen…</translation>
    </message>
    <message>
        <source>Rename the variant</source>
        <translation>Die Variante umbenennen</translation>
    </message>
    <message>
        <source>&amp;Note on this variant…</source>
        <translation>&amp;Notiz zu dieser Variante…</translation>
    </message>
    <message>
        <source>A note on the variant</source>
        <translation>Eine Notiz zur Variante</translation>
    </message>
    <message>
        <source>What is to be remembered of it:</source>
        <translation>Was von ihr behalten werden soll:</translation>
    </message>
    <message>
        <source>Re&amp;move this variant</source>
        <translation>Diese Variante ent&amp;fernen</translation>
    </message>
    <message>
        <source>Ne&amp;xt variant</source>
        <translation>Nä&amp;chste Variante</translation>
    </message>
    <message>
        <source>Ctrl+PgDown</source>
        <translation>Ctrl+PgDown</translation>
    </message>
    <message>
        <source>Variant: </source>
        <translation>Variante: </translation>
    </message>
    <message>
        <source>&amp;Recommend a map…</source>
        <translation>Eine Karte em&amp;pfehlen…</translation>
    </message>
    <message>
        <source>Ctrl+R</source>
        <translation>Ctrl+R</translation>
    </message>
    <message>
        <source>From a model to the map that an engine should serve: searched, judged and exported</source>
        <translation>Von einem Modell zur Karte, die eine Engine bedienen soll: gesucht, beurteilt und exportiert</translation>
    </message>
    <message>
        <source>best map answer auto tune optimise wizard vLLM export</source>
        <translation>beste Karte Antwort automatisch optimieren Assistent vLLM Export</translation>
    </message>
    <message>
        <source>Open the folder of a model</source>
        <translation>Den Ordner eines Modells öffnen</translation>
    </message>
    <message>
        <source>&amp;Draw the other variants in the plots</source>
        <translation>Die anderen Varianten in die Diagramme &amp;zeichnen</translation>
    </message>
    <message>
        <source>Curves and measurements of every variant beside this map&apos;s</source>
        <translation>Kurven und Messungen jeder Variante neben denen dieser Karte</translation>
    </message>
</context>
<context>
    <name>zigzag::MapDifferenceModel</name>
    <message>
        <source>Every head is of the same kind in both.</source>
        <translation>Jeder Kopf ist in beiden von gleicher Art.</translation>
    </message>
    <message numerus="yes">
        <source>%1 of %2 heads differ, in %n layers.</source>
        <translation>
            <numerusform>%1 von %2 Köpfen unterscheiden sich, in %n Schicht.</numerusform>
            <numerusform>%1 von %2 Köpfen unterscheiden sich, in %n Schichten.</numerusform>
        </translation>
    </message>
    <message>
        <source>Their windows differ.</source>
        <translation>Ihre Fenster unterscheiden sich.</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message numerus="yes">
        <source>%n in all</source>
        <translation>
            <numerusform>%n im Ganzen</numerusform>
            <numerusform>%n im Ganzen</numerusform>
        </translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Heads that differ</source>
        <translation>Köpfe, die sich unterscheiden</translation>
    </message>
    <message>
        <source>Streaming heads</source>
        <translation>Streamende Köpfe</translation>
    </message>
    <message>
        <source>KV bytes</source>
        <translation>KV-Bytes</translation>
    </message>
    <message>
        <source>KV keys</source>
        <translation>KV-Schlüssel</translation>
    </message>
    <message>
        <source>Demoted</source>
        <translation>Herabgestuft</translation>
    </message>
    <message>
        <source>Transport cost</source>
        <translation>Transportkosten</translation>
    </message>
    <message>
        <source>%1 of this map</source>
        <translation>%1 dieser Karte</translation>
    </message>
    <message>
        <source>%1 of the other map</source>
        <translation>%1 der anderen Karte</translation>
    </message>
    <message>
        <source>which heads</source>
        <translation>welche Köpfe</translation>
    </message>
    <message>
        <source>Demoted heads</source>
        <translation>Herabgestufte Köpfe</translation>
    </message>
    <message>
        <source>KV heads that stream in one map and retrieve in the other</source>
        <translation>KV-Köpfe, die in der einen Karte streamen und in der anderen alles behalten</translation>
    </message>
    <message>
        <source>KV heads that stream: in this map → in the other</source>
        <translation>KV-Köpfe, die streamen: in dieser Karte → in der anderen</translation>
    </message>
    <message>
        <source>What the cache takes at the context that the window speaks of: this map → the other</source>
        <translation>Was der Cache beim Kontext einnimmt, von dem das Fenster spricht: diese Karte → die andere</translation>
    </message>
    <message>
        <source> This map → the other.</source>
        <translation> Diese Karte → die andere.</translation>
    </message>
</context>
<context>
    <name>zigzag::MapPage</name>
    <message>
        <source>Head map</source>
        <translation>Kopfkarte</translation>
    </message>
    <message>
        <source>Head map: order layers by s&amp;core</source>
        <translation>Kopfkarte: Schichten nach S&amp;core ordnen</translation>
    </message>
    <message>
        <source>Head map: &amp;numbers in cells</source>
        <translation>Kopfkarte: &amp;Zahlen in Zellen</translation>
    </message>
    <message>
        <source>A head map belongs to a model. Open one, or a map or scores of it.</source>
        <translation>Eine Kopfkarte gehört zu einem Modell. Eines öffnen, oder eine Karte oder Scores davon.</translation>
    </message>
    <message>
        <source>What you opened was run on %1. With its model open, its layers stand here, linked with the time they took.</source>
        <translation>Was geöffnet wurde, lief auf %1. Mit dessen Modell stehen seine Schichten hier, verbunden mit der Zeit, die sie brauchten.</translation>
    </message>
    <message>
        <source>Open %1</source>
        <translation>%1 öffnen</translation>
    </message>
    <message>
        <source>Open the built-in model</source>
        <translation>Das eingebaute Modell öffnen</translation>
    </message>
    <message>
        <source>Open a file…</source>
        <translation>Eine Datei öffnen…</translation>
    </message>
    <message>
        <source>KV bytes at %1</source>
        <translation>KV-Bytes bei %1</translation>
    </message>
    <message>
        <source>KV keys at %1</source>
        <translation>KV-Schlüssel bei %1</translation>
    </message>
    <message>
        <source>measured %1 at %2</source>
        <translation>gemessen %1 bei %2</translation>
    </message>
    <message>
        <source>%1 at %2, hatched: predicted</source>
        <translation>%1 bei %2, schraffiert: vorhergesagt</translation>
    </message>
    <message>
        <source>predicted %1 at %2 (kept)</source>
        <translation>vorhergesagt %1 bei %2 (aufbewahrt)</translation>
    </message>
    <message>
        <source>predicted %1 at %2 (disturbed)</source>
        <translation>vorhergesagt %1 bei %2 (gestört)</translation>
    </message>
    <message>
        <source>predicted %1 at %2</source>
        <translation>vorhergesagt %1 bei %2</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>Recommend a map for a model folder…</source>
        <translation>Eine Karte für einen Modellordner empfehlen…</translation>
    </message>
</context>
<context>
    <name>zigzag::MessageBar</name>
    <message>
        <source>Dismiss</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Dismiss the message</source>
        <translation>Die Meldung schließen</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Hinweis</translation>
    </message>
</context>
<context>
    <name>zigzag::NeedleGrid</name>
    <message>
        <source>depth %1</source>
        <translation>Tiefe %1</translation>
    </message>
    <message>
        <source>context %1</source>
        <translation>Kontext %1</translation>
    </message>
    <message>
        <source>Needle result: %1</source>
        <translation>Nadelergebnis: %1</translation>
    </message>
    <message>
        <source>not asked yet</source>
        <translation>noch nicht gefragt</translation>
    </message>
    <message>
        <source>%1 of keys</source>
        <translation>%1 der Schlüssel</translation>
    </message>
    <message>
        <source>%1 of keys found</source>
        <translation>%1 der Schlüssel gefunden</translation>
    </message>
    <message>
        <source>the needle grid of “%1”</source>
        <translation>das Nadelgitter von „%1“</translation>
    </message>
    <message>
        <source>depth</source>
        <translation>Tiefe</translation>
    </message>
    <message>
        <source>%1 found (%2/%3 so far)</source>
        <translation>%1 gefunden (bisher %2/%3)</translation>
    </message>
    <message>
        <source>%1 found (%2/%3)</source>
        <translation>%1 gefunden (%2/%3)</translation>
    </message>
</context>
<context>
    <name>zigzag::NeedleModel</name>
    <message>
        <source>Context %1, depth %2: not asked yet</source>
        <translation>Kontext %1, Tiefe %2: noch nicht gefragt</translation>
    </message>
    <message>
        <source>Context %1, depth %2: %3 keys found against full attention</source>
        <translation>Kontext %1, Tiefe %2: %3 der Schlüssel gefunden, gegen volle Attention</translation>
    </message>
    <message>
        <source>Context %1, depth %2: %3 of %4 keys found</source>
        <translation>Kontext %1, Tiefe %2: %3 von %4 Schlüsseln gefunden</translation>
    </message>
    <message>
        <source>difference of the share found at %1 tokens</source>
        <translation>Unterschied des gefundenen Anteils bei %1 Token</translation>
    </message>
    <message>
        <source>share found at %1 tokens</source>
        <translation>gefundener Anteil bei %1 Token</translation>
    </message>
</context>
<context>
    <name>zigzag::NeedlePage</name>
    <message>
        <source>Needle</source>
        <translation>Nadel</translation>
    </message>
    <message>
        <source>Show the answers to the &amp;worst needle</source>
        <translation>Die Antworten zur &amp;schlechtesten Nadel zeigen</translation>
    </message>
    <message>
        <source>No needle was asked of this map yet: Run › Needle (F6).</source>
        <translation>Von dieser Karte wurde noch keine Nadel gefragt: Lauf › Nadel (F6).</translation>
    </message>
    <message>
        <source>Does this map still find the key? Ask with Run › Needle (F6).</source>
        <translation>Findet diese Karte den Schlüssel noch? Mit Lauf › Nadel (F6) fragen.</translation>
    </message>
    <message>
        <source>The needle question needs the model: open it.</source>
        <translation>Die Nadelfrage braucht das Modell: es öffnen.</translation>
    </message>
    <message>
        <source>The needle question needs a trained model with its tokenizer.</source>
        <translation>Die Nadelfrage braucht ein trainiertes Modell mit seinem Tokenizer.</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>das Modell wird geladen…</translation>
    </message>
</context>
<context>
    <name>zigzag::NeedleView</name>
    <message>
        <source>This map</source>
        <translation>Diese Karte</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Voll</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Unterschied</translation>
    </message>
    <message>
        <source>This map, %1</source>
        <translation>Diese Karte, %1</translation>
    </message>
</context>
<context>
    <name>zigzag::OpTableModel</name>
    <message>
        <source>outside the layers</source>
        <translation>außerhalb der Schichten</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>Kernel</source>
        <translation>Kernel</translation>
    </message>
    <message>
        <source>Op</source>
        <translation>Op</translation>
    </message>
    <message>
        <source>Count</source>
        <translation>Anzahl</translation>
    </message>
    <message>
        <source>Total ns</source>
        <translation>Gesamt ns</translation>
    </message>
    <message>
        <source>Self ns</source>
        <translation>Selbst ns</translation>
    </message>
    <message>
        <source>Share of total %</source>
        <translation>Anteil am Ganzen %</translation>
    </message>
    <message>
        <source>Share of self %</source>
        <translation>Anteil am Selbst %</translation>
    </message>
    <message>
        <source>Mean ns</source>
        <translation>Mittel ns</translation>
    </message>
    <message>
        <source>p50 ns</source>
        <translation>p50 ns</translation>
    </message>
    <message>
        <source>p99 ns</source>
        <translation>p99 ns</translation>
    </message>
    <message>
        <source>Bandwidth B/s</source>
        <translation>Bandbreite B/s</translation>
    </message>
    <message>
        <source>Rate FLOP/s</source>
        <translation>Rate FLOP/s</translation>
    </message>
    <message>
        <source>Floor reached %</source>
        <translation>Untergrenze erreicht %</translation>
    </message>
    <message>
        <source>Kernels ns</source>
        <translation>Kernel ns</translation>
    </message>
    <message>
        <source>Time of the spans with what is inside them</source>
        <translation>Zeit der Spans mit dem, was in ihnen liegt</translation>
    </message>
    <message>
        <source>Time of the spans without what is inside them</source>
        <translation>Zeit der Spans ohne das, was in ihnen liegt</translation>
    </message>
    <message>
        <source>Share of the own time of all rows</source>
        <translation>Anteil an der eigenen Zeit aller Zeilen</translation>
    </message>
    <message>
        <source>Bytes that the op must move at least, over its time</source>
        <translation>Bytes, die die Op mindestens bewegen muss, durch ihre Zeit</translation>
    </message>
    <message>
        <source>Operations of matrix products and attention, over their time</source>
        <translation>Operationen von Matrixprodukten und Attention, durch ihre Zeit</translation>
    </message>
    <message>
        <source>Time of the GPU kernels that the spans launched</source>
        <translation>Zeit der GPU-Kernel, die die Spans gestartet haben</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>Gesamt</translation>
    </message>
    <message>
        <source>Self</source>
        <translation>Selbst</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Anteil</translation>
    </message>
    <message>
        <source>Mean</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>p50</source>
        <translation>p50</translation>
    </message>
    <message>
        <source>p99</source>
        <translation>p99</translation>
    </message>
    <message>
        <source>Bandwidth</source>
        <translation>Bandbreite</translation>
    </message>
    <message>
        <source>Rate</source>
        <translation>Rate</translation>
    </message>
    <message>
        <source>Floor reached</source>
        <translation>Untergrenze erreicht</translation>
    </message>
    <message>
        <source>Kernels</source>
        <translation>Kernel</translation>
    </message>
    <message>
        <source>rank %1</source>
        <translation>Rang %1</translation>
    </message>
    <message>
        <source>Waiting ns</source>
        <translation>Warten ns</translation>
    </message>
    <message>
        <source>Exchange ns</source>
        <translation>Austausch ns</translation>
    </message>
    <message>
        <source>Time in which a rank waited for the last one, before they exchanged</source>
        <translation>Zeit, in der ein Rang auf den letzten wartete, bevor ausgetauscht wurde</translation>
    </message>
    <message>
        <source>Time in which the ranks exchanged their parts, once all had come</source>
        <translation>Zeit, in der die Ränge ihre Teile austauschten, sobald alle da waren</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Warten</translation>
    </message>
    <message>
        <source>Exchange</source>
        <translation>Austausch</translation>
    </message>
</context>
<context>
    <name>zigzag::OpTableView</name>
    <message>
        <source>Op table</source>
        <translation>Op-Tabelle</translation>
    </message>
</context>
<context>
    <name>zigzag::Page</name>
    <message>
        <source>Save %1…</source>
        <translation>%1 sichern…</translation>
    </message>
    <message>
        <source>Save %1</source>
        <translation>%1 sichern</translation>
    </message>
    <message>
        <source>Saved %1 to %2</source>
        <translation>%1 in %2 gesichert</translation>
    </message>
</context>
<context>
    <name>zigzag::ParetoPlot</name>
    <message>
        <source>Quality against speed   ▲ no map is better in both   ○ other maps   ◇ this map   (full attention: loss 0, at the bottom)</source>
        <translation>Qualität gegen Geschwindigkeit   ▲ keine Karte ist in beidem besser   ○ andere Karten   ◇ diese Karte   (volle Attention: Verlust 0, unten)</translation>
    </message>
    <message>
        <source>distillation loss</source>
        <translation>Distillationsverlust</translation>
    </message>
    <message>
        <source>Quality against speed</source>
        <translation>Qualität gegen Geschwindigkeit</translation>
    </message>
    <message>
        <source>%1 maps; arrow keys walk along them, Enter applies one</source>
        <translation>%1 Karten; Pfeiltasten gehen an ihnen entlang, Eingabe wendet eine an</translation>
    </message>
    <message>
        <source>the plot of quality against speed</source>
        <translation>das Diagramm von Qualität gegen Geschwindigkeit</translation>
    </message>
    <message>
        <source>streaming heads %</source>
        <translation>streamende Köpfe %</translation>
    </message>
    <message>
        <source>sink tokens</source>
        <translation>Senken-Token</translation>
    </message>
    <message>
        <source>recent tokens</source>
        <translation>letzte Token</translation>
    </message>
    <message>
        <source>standard error of the loss</source>
        <translation>Standardfehler des Verlusts</translation>
    </message>
    <message>
        <source>pareto</source>
        <translation>Pareto</translation>
    </message>
    <message>
        <source>this map</source>
        <translation>diese Karte</translation>
    </message>
    <message>
        <source>Quality against speed   ▲ no map is better in both   ○ other maps   ◇ this map   (bars: 95 % intervals)</source>
        <translation>Qualität gegen Geschwindigkeit   ▲ keine Karte ist in beidem besser   ○ andere Karten   ◇ diese Karte   (Balken: 95-%-Intervalle)</translation>
    </message>
    <message>
        <source>low end of its 95 % interval</source>
        <translation>unteres Ende ihres 95-%-Intervalls</translation>
    </message>
    <message>
        <source>high end of its 95 % interval</source>
        <translation>oberes Ende ihres 95-%-Intervalls</translation>
    </message>
</context>
<context>
    <name>zigzag::PatternPanel</name>
    <message>
        <source>By place, without scores</source>
        <translation>Nach dem Platz, ohne Scores</translation>
    </message>
    <message>
        <source>Assign by place</source>
        <translation>Nach dem Platz zuweisen</translation>
    </message>
    <message>
        <source>Layers that keep everything by their place alone; all others stream. Locked layers stay as they are.</source>
        <translation>Schichten, die allein nach ihrem Platz alles behalten; alle anderen streamen. Gesperrte Schichten bleiben, wie sie sind.</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>Full: the last of every</source>
        <translation>Voll: die letzte von je</translation>
    </message>
    <message>
        <source>The last of every so many layers keeps everything</source>
        <translation>Die letzte von je so vielen Schichten behält alles</translation>
    </message>
    <message>
        <source>and the first</source>
        <translation>und die ersten</translation>
    </message>
    <message>
        <source>So many first layers keep everything</source>
        <translation>So viele erste Schichten behalten alles</translation>
    </message>
    <message>
        <source>and the last</source>
        <translation>und die letzten</translation>
    </message>
    <message>
        <source>So many last layers keep everything</source>
        <translation>So viele letzte Schichten behalten alles</translation>
    </message>
</context>
<context>
    <name>zigzag::PlotsPage</name>
    <message>
        <source>Latency and memory</source>
        <translation>Latenz und Speicher</translation>
    </message>
    <message>
        <source>Predict for another &amp;machine…</source>
        <translation>Für eine andere &amp;Maschine vorhersagen…</translation>
    </message>
    <message>
        <source>Copy the predictions as command &amp;line</source>
        <translation>Die Vorhersagen als Kommandozei&amp;le kopieren</translation>
    </message>
    <message>
        <source>Open a machine profile of zigzag calibrate</source>
        <translation>Ein Maschinenprofil von zigzag calibrate öffnen</translation>
    </message>
</context>
<context>
    <name>zigzag::PlotsPanel</name>
    <message>
        <source>Plot of time to first token</source>
        <translation>Diagramm der Zeit bis zum ersten Token</translation>
    </message>
    <message>
        <source>Plot of time per output token</source>
        <translation>Diagramm der Zeit je Token der Ausgabe</translation>
    </message>
    <message>
        <source>Plot of KV memory</source>
        <translation>Diagramm des KV-Speichers</translation>
    </message>
</context>
<context>
    <name>zigzag::PlottedMaps</name>
    <message>
        <source>batch %1</source>
        <translation>Batch %1</translation>
    </message>
    <message>
        <source>%1 GPUs</source>
        <translation>%1 GPUs</translation>
    </message>
    <message>
        <source>kept, measured on %1 at %2</source>
        <translation>aufbewahrt, gemessen auf %1 am %2</translation>
    </message>
</context>
<context>
    <name>zigzag::PreferencesDialog</name>
    <message>
        <source>Preferences</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>all processors</source>
        <translation>alle Prozessoren</translation>
    </message>
    <message>
        <source> GiB</source>
        <translation> GiB</translation>
    </message>
    <message>
        <source>what is available</source>
        <translation>was verfügbar ist</translation>
    </message>
    <message>
        <source> s</source>
        <translation> s</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source> pt</source>
        <translation> pt</translation>
    </message>
    <message>
        <source>as the desktop</source>
        <translation>wie der Desktop</translation>
    </message>
    <message>
        <source>a quarter, half and all of the model&apos;s</source>
        <translation>ein Viertel, die Hälfte und das Ganze</translation>
    </message>
    <message>
        <source>Th&amp;reads</source>
        <translation>Th&amp;reads</translation>
    </message>
    <message>
        <source>Of the processor&apos;s backend. From the next start on; the variable OMP_NUM_THREADS goes before.</source>
        <translation>Des CPU-Backends. Vom nächsten Start an; die Variable OMP_NUM_THREADS geht vor.</translation>
    </message>
    <message>
        <source>&amp;Memory</source>
        <translation>&amp;Speicher</translation>
    </message>
    <message>
        <source>What the program may take in all. A model that does not fit is refused in one line.</source>
        <translation>Was das Programm im Ganzen nehmen darf. Ein Modell, das nicht hineinpasst, wird in einer Zeile abgelehnt.</translation>
    </message>
    <message>
        <source>&amp;Patience</source>
        <translation>&amp;Geduld</translation>
    </message>
    <message>
        <source>How long a measurement (F5) waits in all while other programs slow the machine.</source>
        <translation>Wie lange eine Messung (F5) im Ganzen wartet, während andere Programme die Maschine bremsen.</translation>
    </message>
    <message>
        <source>&amp;Contexts</source>
        <translation>&amp;Kontexte</translation>
    </message>
    <message>
        <source>Tokens, separated by commas: where F5 measures. Those that are longer than the model&apos;s are left out.</source>
        <translation>Token, mit Kommas getrennt: wo F5 misst. Die länger sind als der Kontext des Modells, entfallen.</translation>
    </message>
    <message>
        <source>&amp;Font size</source>
        <translation>Schri&amp;ftgröße</translation>
    </message>
    <message>
        <source>Of everything in the window, at once.</source>
        <translation>Von allem im Fenster, sofort.</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>S&amp;prache</translation>
    </message>
    <message>
        <source>Of the window, from the next start on. Messages of the engine and the guide are English.</source>
        <translation>Des Fensters, vom nächsten Start an. Meldungen der Engine und die Anleitung sind englisch.</translation>
    </message>
    <message>
        <source>Contexts are at most 16 whole numbers, such as 512, 1024, 2048.</source>
        <translation>Kontexte sind höchstens 16 ganze Zahlen, etwa 512, 1024, 2048.</translation>
    </message>
</context>
<context>
    <name>zigzag::ProfilePage</name>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
    <message>
        <source>%1 at %2 tokens, batch %3</source>
        <translation>%1 bei %2 Token, Batch %3</translation>
    </message>
    <message>
        <source>prefill</source>
        <translation>prefill</translation>
    </message>
    <message>
        <source>decode</source>
        <translation>decode</translation>
    </message>
    <message>
        <source>%1, %2 threads, zigzag %3</source>
        <translation>%1, %2 Threads, zigzag %3</translation>
    </message>
    <message>
        <source>Profile</source>
        <translation>Profil</translation>
    </message>
    <message>
        <source>&amp;Record trace</source>
        <translation>Trace aufzeichnen (&amp;R)</translation>
    </message>
    <message>
        <source>Record what every op does in a prefill and %1 decode steps of this map (F9)</source>
        <translation>Aufzeichnen, was jede Op in einem Prefill und %1 Decode-Schritten dieser Karte tut (F9)</translation>
    </message>
    <message>
        <source>the op table</source>
        <translation>die Op-Tabelle</translation>
    </message>
    <message>
        <source>Trace</source>
        <translation>Trace</translation>
    </message>
    <message>
        <source>no trace yet</source>
        <translation>noch kein Trace</translation>
    </message>
    <message>
        <source>Lanes</source>
        <translation>Spuren</translation>
    </message>
    <message>
        <source>nested</source>
        <translation>verschachtelt</translation>
    </message>
    <message>
        <source>by op</source>
        <translation>nach Op</translation>
    </message>
    <message>
        <source>Rows of the op table</source>
        <translation>Zeilen der Op-Tabelle</translation>
    </message>
    <message>
        <source>op</source>
        <translation>op</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>layer kind</source>
        <translation>Art der Schicht</translation>
    </message>
    <message>
        <source>op and layer</source>
        <translation>Op und Schicht</translation>
    </message>
    <message>
        <source>op and kind</source>
        <translation>Op und Art</translation>
    </message>
    <message>
        <source>Search the trace</source>
        <translation>Den Trace durchsuchen</translation>
    </message>
    <message>
        <source>Search: attention layer 3</source>
        <translation>Suchen: attention layer 3</translation>
    </message>
    <message>
        <source>Whole trace</source>
        <translation>Ganzer Trace</translation>
    </message>
    <message>
        <source>Count the whole trace again (Esc in the timeline)</source>
        <translation>Wieder den ganzen Trace zählen (Esc in der Zeitleiste)</translation>
    </message>
    <message>
        <source>Rows by</source>
        <translation>Zeilen nach</translation>
    </message>
    <message>
        <source>Find in the &amp;trace</source>
        <translation>Im &amp;Trace suchen</translation>
    </message>
    <message>
        <source>&amp;Next match in the trace</source>
        <translation>&amp;Nächster Treffer im Trace</translation>
    </message>
    <message>
        <source>Pre&amp;vious match in the trace</source>
        <translation>&amp;Voriger Treffer im Trace</translation>
    </message>
    <message>
        <source>Shift+F3</source>
        <translation>Shift+F3</translation>
    </message>
    <message>
        <source>Record trace</source>
        <translation>Trace aufzeichnen</translation>
    </message>
    <message>
        <source>Recording a trace: prefill</source>
        <translation>Ein Trace wird aufgezeichnet: Prefill</translation>
    </message>
    <message>
        <source>Recording a trace: decode</source>
        <translation>Ein Trace wird aufgezeichnet: Decode</translation>
    </message>
    <message>
        <source>trace</source>
        <translation>Trace</translation>
    </message>
    <message>
        <source>TTFT at %1: this map</source>
        <translation>TTFT bei %1: diese Karte</translation>
    </message>
    <message>
        <source>TPOT at %1: this map</source>
        <translation>TPOT bei %1: diese Karte</translation>
    </message>
    <message>
        <source>%1: recorded by another program: %2 events in %3 rows.%4</source>
        <translation>%1: von einem anderen Programm aufgezeichnet: %2 Ereignisse in %3 Zeilen.%4</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>kernel</source>
        <translation>Kernel</translation>
    </message>
    <message>
        <source>Predicted by the cost model, not recorded: hatched.</source>
        <translation>Vom Kostenmodell vorhergesagt, nicht aufgezeichnet: schraffiert.</translation>
    </message>
    <message>
        <source>Recorded by another program. Self is the time without what lies inside.</source>
        <translation>Von einem anderen Programm aufgezeichnet. Selbst ist die Zeit ohne das, was darin liegt.</translation>
    </message>
    <message>
        <source>Spans in the time of their kernels, decode replayed as it runs.</source>
        <translation>Spans in der Zeit ihrer Kernel, Decode wiederholt, wie es läuft.</translation>
    </message>
    <message>
        <source>Spans in the time of their kernels.</source>
        <translation>Spans in der Zeit ihrer Kernel.</translation>
    </message>
    <message>
        <source>A step takes %1, and %2 while it is recorded (%3).</source>
        <translation>Ein Schritt dauert %1, und %2, während er aufgezeichnet wird (%3).</translation>
    </message>
    <message>
        <source>Other programs took the processors while it was recorded: its times are longer than when the machine is left alone.</source>
        <translation>Andere Programme haben während der Aufzeichnung die Prozessoren benutzt: die Zeiten sind länger als auf der Maschine allein.</translation>
    </message>
    <message>
        <source>%1 spans and kernels no longer fitted into the recorder.</source>
        <translation>%1 Spans und Kernel passten nicht mehr in die Aufzeichnung.</translation>
    </message>
    <message>
        <source>Selected: %1</source>
        <translation>Gewählt: %1</translation>
    </message>
    <message>
        <source>, %1 spans</source>
        <translation>, %1 Spans</translation>
    </message>
    <message>
        <source>, %1 kernels of %2</source>
        <translation>, %1 Kernel von %2</translation>
    </message>
    <message>
        <source>1 match</source>
        <translation>1 Treffer</translation>
    </message>
    <message>
        <source>%1 matches</source>
        <translation>%1 Treffer</translation>
    </message>
    <message>
        <source>Where does the time go? Record a trace of this map with Run › Record trace (F9), or open a trace file.</source>
        <translation>Wohin geht die Zeit? Mit Lauf › Trace aufzeichnen (F9) einen Trace dieser Karte aufzeichnen oder eine Tracedatei öffnen.</translation>
    </message>
    <message>
        <source>Open a trace file, or the model to record one.</source>
        <translation>Eine Tracedatei öffnen, oder das Modell, um einen aufzuzeichnen.</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>das Modell wird geladen…</translation>
    </message>
    <message>
        <source>%1 ranks together</source>
        <translation>%1 Ränge zusammen</translation>
    </message>
    <message>
        <source>rank</source>
        <translation>Rang</translation>
    </message>
    <message>
        <source>op and rank</source>
        <translation>Op und Rang</translation>
    </message>
</context>
<context>
    <name>zigzag::PromptPanel</name>
    <message>
        <source>File…</source>
        <translation>Datei…</translation>
    </message>
    <message>
        <source>Next question</source>
        <translation>Nächste Frage</translation>
    </message>
    <message>
        <source>Ask both</source>
        <translation>Beide fragen</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>As chat</source>
        <translation>Als Chat</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Type or paste a prompt, or double-click a cell of the needle page.</source>
        <translation>Einen Prompt tippen oder einfügen, oder eine Zelle der Nadelseite doppelt anklicken.</translation>
    </message>
    <message>
        <source>Take the prompt from a file of text</source>
        <translation>Den Prompt aus einer Textdatei nehmen</translation>
    </message>
    <message>
        <source>Another needle at the same context and depth</source>
        <translation>Eine andere Nadel bei gleichem Kontext und gleicher Tiefe</translation>
    </message>
    <message>
        <source>What was generated so far stays</source>
        <translation>Was bisher erzeugt wurde, bleibt</translation>
    </message>
    <message>
        <source>The map on the left</source>
        <translation>Die linke Karte</translation>
    </message>
    <message>
        <source>The map on the right</source>
        <translation>Die rechte Karte</translation>
    </message>
    <message>
        <source>Most tokens of an answer</source>
        <translation>Höchstens so viele Token einer Antwort</translation>
    </message>
    <message>
        <source> tokens</source>
        <translation> Token</translation>
    </message>
    <message>
        <source>The prompt is a user&apos;s message, put into the model&apos;s own chat template</source>
        <translation>Der Prompt ist die Nachricht eines Benutzers, in die Chatvorlage des Modells gesetzt</translation>
    </message>
    <message>
        <source>and</source>
        <translation>und</translation>
    </message>
    <message>
        <source>Both maps answer, token for token beside each other</source>
        <translation>Beide Karten antworten, Token für Token nebeneinander</translation>
    </message>
</context>
<context>
    <name>zigzag::QualityPage</name>
    <message>
        <source>Quality and speed</source>
        <translation>Qualität und Tempo</translation>
    </message>
    <message>
        <source>S&amp;weep quality over layers and windows</source>
        <translation>Qualitäts-S&amp;weep über Schichten und Fenster</translation>
    </message>
    <message>
        <source>%1 per token, %2</source>
        <translation>%1 je Token, %2</translation>
    </message>
    <message>
        <source>%1 per token, predicted from a disturbed calibration</source>
        <translation>%1 je Token, vorhergesagt aus einer gestörten Kalibrierung</translation>
    </message>
    <message>
        <source>%1 per token, predicted</source>
        <translation>%1 je Token, vorhergesagt</translation>
    </message>
    <message>
        <source>quality %1</source>
        <translation>Qualität %1</translation>
    </message>
    <message>
        <source>predicted time per output token at %1 (kept)</source>
        <translation>vorhergesagte Zeit je Token der Ausgabe bei %1 (aufbewahrt)</translation>
    </message>
    <message>
        <source>predicted time per output token at %1 (disturbed calibration)</source>
        <translation>vorhergesagte Zeit je Token der Ausgabe bei %1 (gestörte Kalibrierung)</translation>
    </message>
    <message>
        <source>predicted time per output token at %1</source>
        <translation>vorhergesagte Zeit je Token der Ausgabe bei %1</translation>
    </message>
    <message>
        <source>KV memory at %1</source>
        <translation>KV-Speicher bei %1</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
    <message>
        <source>%1, by zigzag; quality %2</source>
        <translation>%1, nach zigzag; Qualität %2</translation>
    </message>
    <message>
        <source>The sweep needs a trained model with its tokenizer.</source>
        <translation>Der Sweep braucht ein trainiertes Modell mit seinem Tokenizer.</translation>
    </message>
    <message>
        <source>The sweep needs scores: find the layers first (Shift+F7).</source>
        <translation>Der Sweep braucht Scores: zuerst die Schichten finden (Umschalt+F7).</translation>
    </message>
    <message>
        <source>What does each map lose, and what does it gain?
Sweep with Run › Sweep quality (Shift+F6).</source>
        <translation>Was verliert jede Karte, und was gewinnt sie?
Sweep mit Lauf › Qualitäts-Sweep (Umschalt+F6).</translation>
    </message>
    <message>
        <source>What stands in for sinks is calibrated for one window, and a sweep tries several: sweep as another engine (Run › As served by).</source>
        <translation>Ein Ersatz für Senken wird für ein Fenster kalibriert, und ein Sweep versucht mehrere: den Sweep für eine andere Engine machen (Lauf › Bedient von).</translation>
    </message>
    <message>
        <source>pareto sweeps as our engine runs maps: choose Run › As served by › ours for its line</source>
        <translation>pareto macht Sweeps, wie unsere Engine Karten ausführt: für die Zeile Lauf › Bedient von › ours wählen</translation>
    </message>
    <message>
        <source>Sweep quality</source>
        <translation>Qualitäts-Sweep</translation>
    </message>
    <message>
        <source>Sweep quality, %1</source>
        <translation>Qualitäts-Sweep, %1</translation>
    </message>
    <message>
        <source>Quality sweep: prompt %1 of %2</source>
        <translation>Qualitäts-Sweep: Prompt %1 von %2</translation>
    </message>
    <message>
        <source>Quality sweep of %1 maps</source>
        <translation>Qualitäts-Sweep von %1 Karten</translation>
    </message>
    <message>
        <source>What the quality axis shows</source>
        <translation>Was die Achse der Qualität zeigt</translation>
    </message>
    <message>
        <source>distillation loss</source>
        <translation>Distillationsverlust</translation>
    </message>
    <message>
        <source>divergence from full attention (KL)</source>
        <translation>Abstand von voller Attention (KL)</translation>
    </message>
    <message>
        <source>needles found</source>
        <translation>gefundene Nadeln</translation>
    </message>
    <message>
        <source>RULER&apos;s tasks</source>
        <translation>Aufgaben von RULER</translation>
    </message>
    <message>
        <source>a file of questions…</source>
        <translation>eine Datei mit Fragen…</translation>
    </message>
    <message>
        <source>the perplexity of a text…</source>
        <translation>die Perplexität eines Textes…</translation>
    </message>
    <message>
        <source>Quality is</source>
        <translation>Qualität ist</translation>
    </message>
    <message>
        <source>%1 streaming, %2 sink and %3 recent tokens
</source>
        <translation>%1 Streaming, %2 Senken- und %3 letzte Token
</translation>
    </message>
    <message>
        <source>%1: %2, 95 % interval %3 to %4 (%5 values)
</source>
        <translation>%1: %2, 95-%-Intervall %3 bis %4 (%5 Werte)
</translation>
    </message>
    <message>
        <source>loss %1 ± %2 (standard error, %3 prompts), %4 of answers right
</source>
        <translation>Verlust %1 ± %2 (Standardfehler, %3 Prompts), %4 der Antworten richtig
</translation>
    </message>
    <message>
        <source>%1 at %2
Click to apply this map</source>
        <translation>%1 bei %2
Ein Klick wendet diese Karte an</translation>
    </message>
    <message>
        <source>divergence from full attention (KL, nats)</source>
        <translation>Abstand von voller Attention (KL, nats)</translation>
    </message>
    <message>
        <source>share of needles found</source>
        <translation>Anteil gefundener Nadeln</translation>
    </message>
    <message>
        <source>mean score of RULER&apos;s tasks</source>
        <translation>mittlere Punkte der Aufgaben von RULER</translation>
    </message>
    <message>
        <source>mean score of %1</source>
        <translation>mittlere Punkte von %1</translation>
    </message>
    <message>
        <source>perplexity of %1</source>
        <translation>Perplexität von %1</translation>
    </message>
    <message>
        <source>Questions to ask</source>
        <translation>Fragen zum Stellen</translation>
    </message>
    <message>
        <source>A text for perplexity</source>
        <translation>Ein Text für die Perplexität</translation>
    </message>
    <message>
        <source>Sweep quality: %1</source>
        <translation>Qualitäts-Sweep: %1</translation>
    </message>
    <message>
        <source>Quality sweep, %1</source>
        <translation>Qualitäts-Sweep, %1</translation>
    </message>
</context>
<context>
    <name>zigzag::QualityRecords</name>
    <message>
        <source>Questions: %1</source>
        <translation>Fragen: %1</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Wann</translation>
    </message>
    <message>
        <source>Asked</source>
        <translation>Gefragt</translation>
    </message>
    <message>
        <source>Maps</source>
        <translation>Karten</translation>
    </message>
    <message>
        <source>Values</source>
        <translation>Werte</translation>
    </message>
    <message>
        <source>Full attention</source>
        <translation>Volle Attention</translation>
    </message>
    <message>
        <source>Best map</source>
        <translation>Beste Karte</translation>
    </message>
    <message>
        <source>Worst map</source>
        <translation>Schlechteste Karte</translation>
    </message>
</context>
<context>
    <name>zigzag::QuestionsPage</name>
    <message>
        <source>Questions</source>
        <translation>Fragen</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>Fragen</translation>
    </message>
    <message>
        <source>What maps answer beside full attention</source>
        <translation>Was Karten neben voller Attention antworten</translation>
    </message>
    <message>
        <source>Questions that the map answers worse</source>
        <translation>Fragen, die die Karte schlechter beantwortet</translation>
    </message>
    <message>
        <source>Ask &amp;questions</source>
        <translation>&amp;Fragen stellen</translation>
    </message>
    <message>
        <source>Choose a &amp;file of questions…</source>
        <translation>Eine &amp;Datei mit Fragen wählen…</translation>
    </message>
    <message>
        <source>Save the &amp;record of answers…</source>
        <translation>Die Antworten a&amp;ls Datei sichern…</translation>
    </message>
    <message>
        <source>the table of answers</source>
        <translation>die Tabelle der Antworten</translation>
    </message>
    <message>
        <source>the questions that broke</source>
        <translation>die Fragen, die nicht mehr stimmen</translation>
    </message>
    <message>
        <source>What is asked</source>
        <translation>Was gefragt wird</translation>
    </message>
    <message>
        <source>RULER&apos;s tasks</source>
        <translation>Aufgaben von RULER</translation>
    </message>
    <message>
        <source>A file of questions…</source>
        <translation>Eine Datei mit Fragen…</translation>
    </message>
    <message>
        <source>Tasks</source>
        <translation>Aufgaben</translation>
    </message>
    <message>
        <source>all tasks</source>
        <translation>alle Aufgaben</translation>
    </message>
    <message>
        <source>Names with commas between: %1</source>
        <translation>Namen mit Kommas dazwischen: %1</translation>
    </message>
    <message>
        <source>Lengths in tokens</source>
        <translation>Längen in Token</translation>
    </message>
    <message>
        <source>model&apos;s length</source>
        <translation>wie das Modell</translation>
    </message>
    <message>
        <source>Tokens of a question with its answer&apos;s room, with commas between: 1024,4096</source>
        <translation>Token einer Frage mit dem Platz ihrer Antwort, mit Kommas dazwischen: 1024,4096</translation>
    </message>
    <message>
        <source>Questions of each task and length</source>
        <translation>Fragen je Aufgabe und Länge</translation>
    </message>
    <message>
        <source>Maps that are asked</source>
        <translation>Karten, die gefragt werden</translation>
    </message>
    <message>
        <source>this map</source>
        <translation>diese Karte</translation>
    </message>
    <message>
        <source>all plotted maps</source>
        <translation>alle Karten der Diagramme</translation>
    </message>
    <message>
        <source>The answers that are shown</source>
        <translation>Die Antworten, die gezeigt werden</translation>
    </message>
    <message>
        <source>What does this map answer worse than full attention? Ask with Ctrl+F6, or open a record of eval.</source>
        <translation>Was beantwortet diese Karte schlechter als volle Attention? Mit Strg+F6 fragen oder Antworten von eval öffnen.</translation>
    </message>
    <message>
        <source>To ask, open the model. Records of eval can be opened without it.</source>
        <translation>Zum Fragen das Modell öffnen. Antworten von eval lassen sich ohne es öffnen.</translation>
    </message>
    <message>
        <source>Questions need a trained model with its tokenizer.</source>
        <translation>Fragen brauchen ein trainiertes Modell mit seinem Tokenizer.</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>das Modell wird geladen…</translation>
    </message>
    <message>
        <source>&quot;%1&quot; is no number of tokens: write 1024, or 1024,4096</source>
        <translation>„%1“ ist keine Anzahl von Token: 1024 schreiben oder 1024,4096</translation>
    </message>
    <message>
        <source>&quot;%1&quot; is no number of questions: write 5</source>
        <translation>„%1“ ist keine Anzahl von Fragen: 5 schreiben</translation>
    </message>
    <message>
        <source>Questions to ask</source>
        <translation>Fragen zum Stellen</translation>
    </message>
    <message>
        <source>RULER</source>
        <translation>RULER</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
    <message>
        <source>Questions: %1</source>
        <translation>Fragen: %1</translation>
    </message>
    <message>
        <source>Questions: %1, %2</source>
        <translation>Fragen: %1, %2</translation>
    </message>
    <message>
        <source>Calibrating what stands in for sinks</source>
        <translation>Ersatz für Senken wird kalibriert</translation>
    </message>
    <message>
        <source>Questions, %1: %2 of %3</source>
        <translation>Fragen, %1: %2 von %3</translation>
    </message>
    <message>
        <source>Writing questions</source>
        <translation>Fragen werden geschrieben</translation>
    </message>
    <message>
        <source>Save the record of answers</source>
        <translation>Die Antworten als Datei sichern</translation>
    </message>
    <message>
        <source>Show the answers to the first question that &amp;broke</source>
        <translation>Die Antworten auf die erste nicht mehr r&amp;ichtige Frage zeigen</translation>
    </message>
    <message>
        <source>No question that broke is shown here: ask first, or choose another map.</source>
        <translation>Hier steht keine Frage, die nicht mehr stimmt: zuerst fragen oder eine andere Karte wählen.</translation>
    </message>
    <message>
        <source>Question %1 %2</source>
        <translation>Frage %1 %2</translation>
    </message>
    <message>
        <source>The record keeps the end of a question alone, and what stands beside &quot;Ask&quot; makes other questions: choose the file that was asked, or RULER&apos;s tasks, lengths and number as they were.</source>
        <translation>Die Datei der Antworten behält nur das Ende einer Frage, und was neben „Fragen“ steht, macht andere Fragen: die gefragte Datei wählen, oder Aufgaben, Längen und Anzahl von RULER, wie sie waren.</translation>
    </message>
</context>
<context>
    <name>zigzag::RecommendDialog</name>
    <message>
        <source>Recommend a map</source>
        <translation>Eine Karte empfehlen</translation>
    </message>
    <message>
        <source>What will be done, and how long that takes</source>
        <translation>Was getan wird und wie lange das dauert</translation>
    </message>
    <message>
        <source>&amp;Recommend</source>
        <translation>&amp;Empfehlen</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>zigzag serve</source>
        <translation>zigzag serve</translation>
    </message>
    <message>
        <source>Who will serve the map: layers are chosen as that engine runs them</source>
        <translation>Wer die Karte bedienen wird: Schichten werden gewählt, wie jene Engine sie ausführt</translation>
    </message>
    <message>
        <source>&amp;Engine</source>
        <translation>&amp;Engine</translation>
    </message>
    <message>
        <source> tokens</source>
        <translation> Token</translation>
    </message>
    <message>
        <source>Where a budget holds and savings are told; prompts are as long where the time allows it</source>
        <translation>Wo ein Budget gilt und Ersparnis gesagt wird; Prompts sind so lang, wo die Zeit es erlaubt</translation>
    </message>
    <message>
        <source>&amp;Context</source>
        <translation>&amp;Kontext</translation>
    </message>
    <message>
        <source>none: whatever keeps the quality</source>
        <translation>keines: was die Qualität behält</translation>
    </message>
    <message>
        <source>memory of a sequence, GiB</source>
        <translation>Speicher einer Sequenz, GiB</translation>
    </message>
    <message>
        <source>memory of a sequence, MiB</source>
        <translation>Speicher einer Sequenz, MiB</translation>
    </message>
    <message>
        <source>time per token, ms</source>
        <translation>Zeit je Token, ms</translation>
    </message>
    <message>
        <source>How much the budget is</source>
        <translation>Wie groß das Budget ist</translation>
    </message>
    <message>
        <source>&amp;Budget</source>
        <translation>&amp;Budget</translation>
    </message>
    <message>
        <source> % of full attention&apos;s score</source>
        <translation> % der Punkte voller Attention</translation>
    </message>
    <message>
        <source>Must be kept by the lower end of the 95 % interval</source>
        <translation>Muss am unteren Ende des 95-%-Intervalls bleiben</translation>
    </message>
    <message>
        <source>&amp;Quality to keep</source>
        <translation>&amp;Qualität, die bleibt</translation>
    </message>
    <message>
        <source> min</source>
        <translation> min</translation>
    </message>
    <message>
        <source>&amp;Time for all of it</source>
        <translation>&amp;Zeit für alles</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen…</translation>
    </message>
    <message>
        <source>needle tasks that are made here</source>
        <translation>Nadelaufgaben, die hier gemacht werden</translation>
    </message>
    <message>
        <source>Questions of your own: half of them choose the map, half of them judge it</source>
        <translation>Eigene Fragen: die Hälfte wählt die Karte, die andere beurteilt sie</translation>
    </message>
    <message>
        <source>&amp;Prompts</source>
        <translation>&amp;Prompts</translation>
    </message>
    <message>
        <source>Choose a file of questions</source>
        <translation>Eine Datei mit Fragen wählen</translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation>&amp;Ordner</translation>
    </message>
    <message>
        <source>Choose the folder for the results</source>
        <translation>Den Ordner für die Ergebnisse wählen</translation>
    </message>
    <message>
        <source>For the map, its scores, the page and the export</source>
        <translation>Für die Karte, ihre Scores, die Seite und den Export</translation>
    </message>
    <message>
        <source>Time a prompt</source>
        <translation>Zeit eines Prompts</translation>
    </message>
    <message>
        <source>A recommendation needs a trained model with its tokenizer.</source>
        <translation>Eine Empfehlung braucht ein trainiertes Modell mit seinem Tokenizer.</translation>
    </message>
    <message>
        <source>There is no model to run: %1.</source>
        <translation>Es gibt kein Modell zum Ausführen: %1.</translation>
    </message>
    <message>
        <source>Choose a folder for the results.</source>
        <translation>Einen Ordner für die Ergebnisse wählen.</translation>
    </message>
    <message>
        <source>What will be done, and how long it takes, is known as soon as the model is loaded and a prompt was timed.</source>
        <translation>Was getan wird und wie lange es dauert, ist bekannt, sobald das Modell geladen und ein Prompt gemessen ist.</translation>
    </message>
    <message>
        <source>By a prompt that was timed here.</source>
        <translation>Nach einem Prompt, der hier gemessen wurde.</translation>
    </message>
    <message>
        <source>By predictions, until a prompt has been timed.</source>
        <translation>Nach Vorhersagen, bis ein Prompt gemessen ist.</translation>
    </message>
</context>
<context>
    <name>zigzag::RecommendPage</name>
    <message>
        <source>Recommend</source>
        <translation>Empfehlen</translation>
    </message>
    <message>
        <source>Recommend…</source>
        <translation>Empfehlen…</translation>
    </message>
    <message>
        <source>Open the map</source>
        <translation>Die Karte öffnen</translation>
    </message>
    <message>
        <source>Check a server…</source>
        <translation>Einen Server prüfen…</translation>
    </message>
    <message>
        <source>Its answers</source>
        <translation>Ihre Antworten</translation>
    </message>
    <message>
        <source>rise (nats a token)</source>
        <translation>Anstieg (nats je Token)</translation>
    </message>
    <message>
        <source>▲ no map is better in both   ◇ the open map</source>
        <translation>▲ keine Karte ist in beidem besser   ◇ die offene Karte</translation>
    </message>
    <message>
        <source>the maps that were tried</source>
        <translation>die versuchten Karten</translation>
    </message>
    <message>
        <source>The command that serves the map</source>
        <translation>Der Befehl, der die Karte bedient</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy the command that serves the map</source>
        <translation>Den Befehl kopieren, der die Karte bedient</translation>
    </message>
    <message>
        <source>Bring the recommended map to the front, as a variant</source>
        <translation>Die empfohlene Karte als Variante nach vorn bringen</translation>
    </message>
    <message>
        <source>Ask the server, once it runs, whether it applies this map</source>
        <translation>Den Server, sobald er läuft, fragen, ob er diese Karte anwendet</translation>
    </message>
    <message>
        <source>Every answer of full attention and of the maps that were judged</source>
        <translation>Jede Antwort voller Attention und der beurteilten Karten</translation>
    </message>
    <message>
        <source>Maps that were tried</source>
        <translation>Versuchte Karten</translation>
    </message>
    <message>
        <source>Layers</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <source>Score kept (95 %)</source>
        <translation>Behaltene Punkte (95 %)</translation>
    </message>
    <message>
        <source>Sink + recent</source>
        <translation>Senke + letzte</translation>
    </message>
    <message>
        <source>KV</source>
        <translation>KV</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>Rise</source>
        <translation>Anstieg</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>Richtig</translation>
    </message>
    <message>
        <source>As</source>
        <translation>Als</translation>
    </message>
    <message>
        <source>That stream</source>
        <translation>Die streamen</translation>
    </message>
    <message>
        <source>On prompts that chose nothing, against full attention</source>
        <translation>Auf Prompts, die nichts gewählt haben, gegen volle Attention</translation>
    </message>
    <message>
        <source>Of the right answer&apos;s negative log-likelihood, nats a token: less is better</source>
        <translation>Der negativen Log-Wahrscheinlichkeit der richtigen Antwort, nats je Token: weniger ist besser</translation>
    </message>
    <message>
        <source>Share of the answers right, on the prompts that chose</source>
        <translation>Anteil richtiger Antworten auf den Prompts, die gewählt haben</translation>
    </message>
    <message>
        <source>Predicted for zigzag&apos;s engine</source>
        <translation>Vorhergesagt für die Engine von zigzag</translation>
    </message>
    <message>
        <source>%1 maps were tried so far.</source>
        <translation>%1 Karten bisher versucht.</translation>
    </message>
    <message>
        <source>(Kept: this came with the model; it was not run here.)</source>
        <translation>(Aufbewahrt: dies kam mit dem Modell; hier ist es nicht gelaufen.)</translation>
    </message>
    <message>
        <source>What it saves</source>
        <translation>Was sie spart</translation>
    </message>
    <message>
        <source>What it costs</source>
        <translation>Was sie kostet</translation>
    </message>
    <message>
        <source>The export lies in %1.</source>
        <translation>Der Export liegt in %1.</translation>
    </message>
    <message>
        <source>The recommendation did not come to its end; asked again, it goes on from where it was.</source>
        <translation>Die Empfehlung kam nicht zu ihrem Ende; noch einmal verlangt, geht sie von dort weiter.</translation>
    </message>
    <message>
        <source>Which layers can stream in my engine, and what does it cost?</source>
        <translation>Welche Schichten können in meiner Engine streamen, und was kostet das?</translation>
    </message>
    <message>
        <source>Recommend… orders the layers as the engine runs them, tries counts and windows, judges the best on prompts that chose nothing, and writes the map with its export.</source>
        <translation>Empfehlen… ordnet die Schichten, wie die Engine sie ausführt, versucht Anzahlen und Fenster, beurteilt die besten auf Prompts, die nichts gewählt haben, und schreibt die Karte mit ihrem Export.</translation>
    </message>
    <message>
        <source>frontier</source>
        <translation>Front</translation>
    </message>
    <message>
        <source>%1, as %2
rise %3 nats a token, %4 of answers right
%5
Click to open this map</source>
        <translation>%1, als %2
Anstieg %3 nats je Token, %4 der Antworten richtig
%5
Ein Klick öffnet diese Karte</translation>
    </message>
    <message>
        <source>predicted time per output token at %1</source>
        <translation>vorhergesagte Zeit je Token der Ausgabe bei %1</translation>
    </message>
    <message>
        <source>KV at %1 in %2</source>
        <translation>KV bei %1 in %2</translation>
    </message>
    <message>
        <source>Maps stand here as they are tried.</source>
        <translation>Karten stehen hier, sobald sie versucht sind.</translation>
    </message>
    <message>
        <source>Copied: %1</source>
        <translation>Kopiert: %1</translation>
    </message>
    <message>
        <source>What was found, and what it rests on</source>
        <translation>Was gefunden wurde und worauf es beruht</translation>
    </message>
    <message>
        <source>the plot of the maps that were tried</source>
        <translation>das Diagramm der versuchten Karten</translation>
    </message>
    <message>
        <source>KV memory</source>
        <translation>KV-Speicher</translation>
    </message>
</context>
<context>
    <name>zigzag::RunCompareModel</name>
    <message>
        <source>outside the layers</source>
        <translation>außerhalb der Schichten</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>not there</source>
        <translation>nicht da</translation>
    </message>
    <message>
        <source>%1, predicted</source>
        <translation>%1, vorhergesagt</translation>
    </message>
    <message>
        <source>%1, spread %2</source>
        <translation>%1, Streuung %2</translation>
    </message>
    <message>
        <source>%1, one sample</source>
        <translation>%1, eine Messung</translation>
    </message>
    <message>
        <source>%1
A %2
B %3</source>
        <translation>%1
A %2
B %3</translation>
    </message>
    <message>
        <source>≈ within the spread</source>
        <translation>≈ innerhalb der Streuung</translation>
    </message>
    <message>
        <source>▲ grew</source>
        <translation>▲ gewachsen</translation>
    </message>
    <message>
        <source>▲ predicted more</source>
        <translation>▲ mehr vorhergesagt</translation>
    </message>
    <message>
        <source>▲ measured more</source>
        <translation>▲ mehr gemessen</translation>
    </message>
    <message>
        <source>▼ shrank</source>
        <translation>▼ geschrumpft</translation>
    </message>
    <message>
        <source>▼ predicted less</source>
        <translation>▼ weniger vorhergesagt</translation>
    </message>
    <message>
        <source>▼ measured less</source>
        <translation>▼ weniger gemessen</translation>
    </message>
    <message>
        <source>one sample</source>
        <translation>eine Messung</translation>
    </message>
    <message>
        <source>only in A</source>
        <translation>nur in A</translation>
    </message>
    <message>
        <source>only in B</source>
        <translation>nur in B</translation>
    </message>
    <message>
        <source>%1 predicted ms</source>
        <translation>%1 vorhergesagt ms</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 ms</translation>
    </message>
    <message>
        <source>%1 spread ms</source>
        <translation>%1 Streuung ms</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>B − A ms</source>
        <translation>B − A ms</translation>
    </message>
    <message>
        <source>Change %</source>
        <translation>Änderung %</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>Urteil</translation>
    </message>
    <message>
        <source>A, predicted</source>
        <translation>A, vorhergesagt</translation>
    </message>
    <message>
        <source>A</source>
        <translation>A</translation>
    </message>
    <message>
        <source>B, predicted</source>
        <translation>B, vorhergesagt</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
    <message>
        <source>B − A</source>
        <translation>B − A</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Änderung</translation>
    </message>
</context>
<context>
    <name>zigzag::RunListModel</name>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>%1, %2 threads, zigzag %3</source>
        <translation>%1, %2 Threads, zigzag %3</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>vorhergesagt</translation>
    </message>
    <message>
        <source>%1, %2 at %3</source>
        <translation>%1, %2 bei %3</translation>
    </message>
    <message>
        <source>%1 (predicted)</source>
        <translation>%1 (vorhergesagt)</translation>
    </message>
    <message>
        <source>measured</source>
        <translation>gemessen</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>gescheitert</translation>
    </message>
    <message>
        <source>one sample</source>
        <translation>eine Messung</translation>
    </message>
    <message>
        <source>± %1, disturbed</source>
        <translation>± %1, gestört</translation>
    </message>
    <message>
        <source>measured, disturbed</source>
        <translation>gemessen, gestört</translation>
    </message>
    <message>
        <source>samples: %1</source>
        <translation>Messungen: %1</translation>
    </message>
    <message>
        <source>other programs slowed the machine during %1 of them</source>
        <translation>andere Programme haben die Maschine während %1 davon gebremst</translation>
    </message>
    <message>
        <source>no floor: it was faster than the ceiling that was measured beside it, so the machine changed in between</source>
        <translation>keine Untergrenze: es war schneller als die Decke, die daneben gemessen wurde; die Maschine hat sich also dazwischen geändert</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>Context tokens</source>
        <translation>Kontext in Token</translation>
    </message>
    <message>
        <source>Batch sequences</source>
        <translation>Batch in Sequenzen</translation>
    </message>
    <message>
        <source>Median ms</source>
        <translation>Median ms</translation>
    </message>
    <message>
        <source>Spread ms</source>
        <translation>Streuung ms</translation>
    </message>
    <message>
        <source>Floor reached %</source>
        <translation>Untergrenze erreicht %</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>Maschine</translation>
    </message>
    <message>
        <source>Failure</source>
        <translation>Scheitern</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Wann</translation>
    </message>
    <message>
        <source>Map</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>Time of</source>
        <translation>Zeit von</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>Batch</translation>
    </message>
    <message>
        <source>Median</source>
        <translation>Median</translation>
    </message>
    <message>
        <source>Spread</source>
        <translation>Streuung</translation>
    </message>
    <message>
        <source>Floor reached</source>
        <translation>Untergrenze erreicht</translation>
    </message>
</context>
<context>
    <name>zigzag::RunsBar</name>
    <message>
        <source>Runs</source>
        <translation>Läufe</translation>
    </message>
    <message>
        <source> Context </source>
        <translation> Kontext </translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>The context that the layers&apos; bars and the headline speak of</source>
        <translation>Der Kontext, von dem die Balken der Schichten und die Kopfzeile sprechen</translation>
    </message>
    <message>
        <source>  Layer time </source>
        <translation>  Schichtzeit </translation>
    </message>
    <message>
        <source>Layer time</source>
        <translation>Schichtzeit</translation>
    </message>
    <message>
        <source>TPOT (decode)</source>
        <translation>TPOT (decode)</translation>
    </message>
    <message>
        <source>TTFT (prefill)</source>
        <translation>TTFT (prefill)</translation>
    </message>
    <message>
        <source>Progress of the run</source>
        <translation>Fortschritt des Laufs</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>Als Kommandozeile kopieren</translation>
    </message>
    <message>
        <source>What waits for the current run. Choose one to take it out.</source>
        <translation>Was auf den jetzigen Lauf wartet. Eines wählen, um es herauszunehmen.</translation>
    </message>
    <message>
        <source>+ 1 waits: %1</source>
        <translation>+ 1 wartet: %1</translation>
    </message>
    <message>
        <source>+ %1 wait</source>
        <translation>+ %1 warten</translation>
    </message>
    <message>
        <source>Take out: %1</source>
        <translation>Herausnehmen: %1</translation>
    </message>
    <message>
        <source>%1: waits for the cancelled run to stop </source>
        <translation>%1: wartet, bis der abgebrochene Lauf endet </translation>
    </message>
    <message>
        <source>%1, %2 </source>
        <translation>%1, %2 </translation>
    </message>
</context>
<context>
    <name>zigzag::RunsPage</name>
    <message>
        <source>Runs</source>
        <translation>Läufe</translation>
    </message>
    <message>
        <source>Comparison of two runs</source>
        <translation>Vergleich zweier Läufe</translation>
    </message>
    <message>
        <source>S&amp;wap compared runs</source>
        <translation>Verglichene Läufe ver&amp;tauschen</translation>
    </message>
    <message>
        <source>⇄ Swap</source>
        <translation>⇄ Tauschen</translation>
    </message>
    <message>
        <source>Select all points of this &amp;run</source>
        <translation>Alle Punkte dieses &amp;Laufs auswählen</translation>
    </message>
    <message>
        <source>Copy this run as command &amp;line</source>
        <translation>Diesen Lauf als &amp;Kommandozeile kopieren</translation>
    </message>
    <message>
        <source>the list of runs</source>
        <translation>die Liste der Läufe</translation>
    </message>
    <message>
        <source>the comparison of runs</source>
        <translation>der Vergleich der Läufe</translation>
    </message>
    <message>
        <source>Rows of the comparison</source>
        <translation>Zeilen des Vergleichs</translation>
    </message>
    <message>
        <source>op</source>
        <translation>op</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>op and layer</source>
        <translation>Op und Schicht</translation>
    </message>
    <message>
        <source>Rows by</source>
        <translation>Zeilen nach</translation>
    </message>
    <message>
        <source>Select a second run to compare with. Runs of this session are held against their prediction by themselves, once predictions are calibrated.</source>
        <translation>Einen zweiten Lauf zum Vergleichen wählen. Läufe dieser Sitzung werden von selbst gegen ihre Vorhersage gehalten, sobald Vorhersagen kalibriert sind.</translation>
    </message>
    <message>
        <source>%1 measured points</source>
        <translation>%1 gemessene Punkte</translation>
    </message>
    <message>
        <source>the same as predicted</source>
        <translation>dieselben, vorhergesagt</translation>
    </message>
    <message>
        <source>Measuring: what it finds is listed here as it comes.</source>
        <translation>Es wird gemessen: was sich findet, steht hier, sobald es da ist.</translation>
    </message>
    <message>
        <source>Nothing has been measured yet: Run › Measure (F5) or Run › Record trace (F9), or open a trace or a file of bench.</source>
        <translation>Noch wurde nichts gemessen: Lauf › Messen (F5) oder Lauf › Trace aufzeichnen (F9), oder einen Trace oder eine Datei von bench öffnen.</translation>
    </message>
    <message>
        <source>Select two runs to compare them, one to hold it against its prediction, or all points of two files. Traces compare per op and layer.</source>
        <translation>Zwei Läufe wählen, um sie zu vergleichen, einen, um ihn gegen seine Vorhersage zu halten, oder alle Punkte zweier Dateien. Traces werden je Op und Schicht verglichen.</translation>
    </message>
    <message>
        <source>One of these two failed: there is no time to compare.</source>
        <translation>Einer dieser zwei ist gescheitert: es gibt keine Zeit zum Vergleichen.</translation>
    </message>
    <message>
        <source>These are of %1 measurements or files: select points of two, or two runs.</source>
        <translation>Dies sind %1 Messungen oder Dateien: Punkte von zweien wählen, oder zwei Läufe.</translation>
    </message>
    <message>
        <source>%1 points, %2</source>
        <translation>%1 Punkte, %2</translation>
    </message>
    <message>
        <source>A: %1 · B: %2</source>
        <translation>A: %1 · B: %2</translation>
    </message>
    <message>
        <source> · %1 grew, %2 shrank, %3 within the spread</source>
        <translation> · %1 gewachsen, %2 geschrumpft, %3 innerhalb der Streuung</translation>
    </message>
    <message>
        <source>%1 holds no records yet: let the sweep finish a point</source>
        <translation>%1 enthält noch keine Einträge: den Sweep einen Punkt beenden lassen</translation>
    </message>
    <message>
        <source>What maps were asked</source>
        <translation>Was Karten gefragt wurden</translation>
    </message>
    <message>
        <source>&amp;Open what maps were asked</source>
        <translation>Ö&amp;ffnen, was Karten gefragt wurden</translation>
    </message>
    <message>
        <source>what maps were asked</source>
        <translation>was Karten gefragt wurden</translation>
    </message>
</context>
<context>
    <name>zigzag::ScoreLegend</name>
    <message>
        <source>Click or drag flips heads · Shift-drag selects · Space, R, S set · double-click a layer number for its whole row</source>
        <translation>Klick schaltet um · Umschalt-Ziehen wählt · Leertaste, R, S · Doppelklick auf Nummer: Zeile</translation>
    </message>
    <message>
        <source>Legend of the head map</source>
        <translation>Legende der Kopfkarte</translation>
    </message>
    <message>
        <source>R: keeps all tokens. S: keeps sink + recent. %1</source>
        <translation>R: behält alle Token. S: behält Senke + letzte. %1</translation>
    </message>
    <message>
        <source>score 0 to 1</source>
        <translation>Score 0 bis 1</translation>
    </message>
    <message>
        <source>keeps all tokens</source>
        <translation>behält alle Token</translation>
    </message>
    <message>
        <source>R</source>
        <translation>R</translation>
    </message>
    <message>
        <source>keeps sink + recent</source>
        <translation>behält Senke + letzte</translation>
    </message>
    <message>
        <source>S</source>
        <translation>S</translation>
    </message>
    <message>
        <source>attention</source>
        <translation>Attention</translation>
    </message>
    <message>
        <source>projections</source>
        <translation>Projektionen</translation>
    </message>
    <message>
        <source>MLP</source>
        <translation>MLP</translation>
    </message>
    <message>
        <source>norms and the like</source>
        <translation>Normen u. a.</translation>
    </message>
</context>
<context>
    <name>zigzag::ScoreSources</name>
    <message>
        <source>The model answered no prompt, not even with full attention: these scores say nothing of its heads.</source>
        <translation>Das Modell hat keinen Prompt beantwortet, nicht einmal mit voller Attention: diese Scores sagen nichts über seine Köpfe.</translation>
    </message>
    <message>
        <source>Stopped after %1 of %2: start the same search again and it goes on.</source>
        <translation>Nach %1 von %2 angehalten: dieselbe Suche noch einmal starten, und sie geht weiter.</translation>
    </message>
    <message>
        <source>Choose this row to colour the map, and to assign, by these scores.</source>
        <translation>Diese Zeile wählen, um die Karte nach diesen Scores zu färben und zuzuweisen.</translation>
    </message>
    <message>
        <source> (%1 of %2)</source>
        <translation> (%1 von %2)</translation>
    </message>
    <message>
        <source>, no prompt answered</source>
        <translation>, kein Prompt beantwortet</translation>
    </message>
    <message>
        <source>%1 + %2</source>
        <translation>%1 + %2</translation>
    </message>
    <message>
        <source>–</source>
        <translation>–</translation>
    </message>
    <message>
        <source>± %1</source>
        <translation>± %1</translation>
    </message>
    <message>
        <source>%1 passes, %2</source>
        <translation>%1 Durchgänge, %2</translation>
    </message>
    <message>
        <source>Scores from</source>
        <translation>Scores aus</translation>
    </message>
    <message>
        <source>Sink + recent</source>
        <translation>Senke + letzte</translation>
    </message>
    <message>
        <source>Mean spread</source>
        <translation>Mittlere Streuung</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Kosten</translation>
    </message>
    <message>
        <source>Steps done</source>
        <translation>Getane Schritte</translation>
    </message>
    <message>
        <source>Steps in all</source>
        <translation>Schritte im Ganzen</translation>
    </message>
    <message>
        <source>Sink tokens</source>
        <translation>Senken-Token</translation>
    </message>
    <message>
        <source>Recent tokens</source>
        <translation>Letzte Token</translation>
    </message>
    <message>
        <source>Mean spread of the scores</source>
        <translation>Mittlere Streuung der Scores</translation>
    </message>
    <message>
        <source>Forward passes</source>
        <translation>Vorwärtsdurchgänge</translation>
    </message>
    <message>
        <source>Seconds</source>
        <translation>Sekunden</translation>
    </message>
    <message>
        <source>Where the scores come from</source>
        <translation>Woher die Scores kommen</translation>
    </message>
    <message>
        <source>The window that a streaming head keeps in the search</source>
        <translation>Das Fenster, das ein streamender Kopf in der Suche behält</translation>
    </message>
    <message>
        <source>Standard error or deviation of the scores, mean over heads</source>
        <translation>Standardfehler oder -abweichung der Scores, Mittel über Köpfe</translation>
    </message>
    <message>
        <source>Forward passes (backward ones counted as two) and time</source>
        <translation>Vorwärtsdurchgänge (Rückwärtsdurchgänge zählen doppelt) und Zeit</translation>
    </message>
</context>
<context>
    <name>zigzag::SeriesLegend</name>
    <message>
        <source>dashed: predicted</source>
        <translation>gestrichelt: vorhergesagt</translation>
    </message>
    <message>
        <source>markers: measured</source>
        <translation>Marken: gemessen</translation>
    </message>
    <message>
        <source>pale: disturbed</source>
        <translation>blass: gestört</translation>
    </message>
    <message>
        <source>Legend of the plots</source>
        <translation>Legende der Diagramme</translation>
    </message>
</context>
<context>
    <name>zigzag::ServingChoice</name>
    <message>
        <source>the engine depends on the model: open it</source>
        <translation>die Engine hängt vom Modell ab: es öffnen</translation>
    </message>
    <message>
        <source>as %1 runs it</source>
        <translation>wie %1 sie ausführt</translation>
    </message>
    <message>
        <source>%1: not known what it takes</source>
        <translation>%1: nicht bekannt, was sie einnimmt</translation>
    </message>
    <message>
        <source>%1, at %2 tokens: KV %3 a sequence, %4 a GiB (computed, %5 %6)</source>
        <translation>%1, bei %2 Token: KV %3 je Sequenz, %4 je GiB (berechnet, %5 %6)</translation>
    </message>
</context>
<context>
    <name>zigzag::ShortcutsDialog</name>
    <message>
        <source>Keyboard and mouse</source>
        <translation>Tastatur und Maus</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>What they do</source>
        <translation>Was sie tun</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>Kürzel</translation>
    </message>
</context>
<context>
    <name>zigzag::SideBySideModel</name>
    <message>
        <source>First map</source>
        <translation>Erste Karte</translation>
    </message>
    <message>
        <source>Second map</source>
        <translation>Zweite Karte</translation>
    </message>
    <message numerus="yes">
        <source>Both say the same %n tokens.</source>
        <translation>
            <numerusform>Beide sagen dasselbe %n Token.</numerusform>
            <numerusform>Beide sagen dieselben %n Token.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The same so far: %n tokens.</source>
        <translation>
            <numerusform>Bisher gleich: %n Token.</numerusform>
            <numerusform>Bisher gleich: %n Token.</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 says %2 with %3, to which %4 gives %5</source>
        <translation>%1 sagt %2 mit %3, dem %4 %5 gibt</translation>
    </message>
    <message>
        <source>its end</source>
        <translation>sein Ende</translation>
    </message>
    <message>
        <source>They part at token %1: %2.</source>
        <translation>Sie trennen sich bei Token %1: %2.</translation>
    </message>
    <message>
        <source>Token %1 of %2: %3%4</source>
        <translation>Token %1 von %2: %3%4</translation>
    </message>
    <message>
        <source>, which ends it</source>
        <translation>, womit sie endet</translation>
    </message>
    <message>
        <source>, where they part</source>
        <translation>, wo sie sich trennen</translation>
    </message>
    <message>
        <source>%1: %2 · likeliest: %3</source>
        <translation>%1: %2 · am wahrscheinlichsten: %3</translation>
    </message>
    <message>
        <source>%1, after the same text: %2 · likeliest: %3</source>
        <translation>%1, nach demselben Text: %2 · am wahrscheinlichsten: %3</translation>
    </message>
    <message>
        <source>%1 has not read this text</source>
        <translation>%1 hat diesen Text nicht gelesen</translation>
    </message>
    <message numerus="yes">
        <source>%n tokens</source>
        <translation>
            <numerusform>%n Token</numerusform>
            <numerusform>%n Token</numerusform>
        </translation>
    </message>
    <message>
        <source>%1, ended</source>
        <translation>%1, beendet</translation>
    </message>
    <message>
        <source>%1, limit reached</source>
        <translation>%1, Grenze erreicht</translation>
    </message>
    <message>
        <source>Prompt:</source>
        <translation>Prompt:</translation>
    </message>
    <message>
        <source>%1 (%2):</source>
        <translation>%1 (%2):</translation>
    </message>
    <message>
        <source>%1, %2%3</source>
        <translation>%1, %2%3</translation>
    </message>
    <message>
        <source>, they part here</source>
        <translation>, hier trennen sie sich</translation>
    </message>
</context>
<context>
    <name>zigzag::Studio</name>
    <message>
        <source>Layer %1 is local: the model&apos;s own file gives it a window, which no map changes, so it is not edited.</source>
        <translation>Schicht %1 ist lokal: die Datei des Modells selbst gibt ihr ein Fenster, das keine Karte ändert; darum wird sie nicht bearbeitet.</translation>
    </message>
    <message>
        <source>Load %1</source>
        <translation>%1 laden</translation>
    </message>
    <message>
        <source>the model is open without its weights</source>
        <translation>das Modell ist ohne seine Gewichte offen</translation>
    </message>
    <message>
        <source>%1 has no samples to predict from: calibrate anew</source>
        <translation>%1 hat keine Messungen, aus denen sich vorhersagen ließe: neu kalibrieren</translation>
    </message>
    <message>
        <source>How heads are dealt out to GPUs depends on the model: open it</source>
        <translation>Wie Köpfe auf GPUs verteilt werden, hängt vom Modell ab: es öffnen</translation>
    </message>
    <message>
        <source>Running: the tool bar shows how far it is.</source>
        <translation>Läuft: die Werkzeugleiste zeigt, wie weit es ist.</translation>
    </message>
    <message>
        <source>Waits for another run.</source>
        <translation>Wartet auf einen anderen Lauf.</translation>
    </message>
    <message>
        <source>Times need the model:
open its folder, a preset
or a bundled model</source>
        <translation>Zeiten brauchen das Modell:
seinen Ordner, ein Preset
oder ein eingebautes öffnen</translation>
    </message>
    <message>
        <source>opened without weights:
choose a machine profile above</source>
        <translation>ohne Gewichte geöffnet:
oben ein Maschinenprofil wählen</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>das Modell wird geladen…</translation>
    </message>
    <message>
        <source>calibrating…</source>
        <translation>wird kalibriert…</translation>
    </message>
    <message>
        <source>calibration waits for another run</source>
        <translation>die Kalibrierung wartet auf einen anderen Lauf</translation>
    </message>
    <message>
        <source>not calibrated: Run › Calibrate (F8)</source>
        <translation>nicht kalibriert: Lauf › Kalibrieren (F8)</translation>
    </message>
    <message>
        <source>%1 cannot be made: save the map to a file first</source>
        <translation>%1 lässt sich nicht machen: zuerst die Karte in eine Datei sichern</translation>
    </message>
    <message>
        <source>There is no command that does the same.</source>
        <translation>Es gibt keinen Befehl, der dasselbe tut.</translation>
    </message>
    <message>
        <source>Copied: %1</source>
        <translation>Kopiert: %1</translation>
    </message>
    <message>
        <source>the model could not be loaded</source>
        <translation>das Modell konnte nicht geladen werden</translation>
    </message>
    <message>
        <source>loading was cancelled</source>
        <translation>das Laden wurde abgebrochen</translation>
    </message>
    <message>
        <source>Cancelled; what was measured so far stays.</source>
        <translation>Abgebrochen; was bis dahin gemessen wurde, bleibt.</translation>
    </message>
    <message>
        <source>Predictions were off by %1 at the median: this machine&apos;s speed has changed, or was disturbed when it was calibrated. It is calibrated again.</source>
        <translation>Vorhersagen lagen im Median um %1 daneben: diese Maschine ist anders schnell geworden oder wurde beim Kalibrieren gestört. Sie wird neu kalibriert.</translation>
    </message>
    <message>
        <source>Calibrate predictions</source>
        <translation>Vorhersagen kalibrieren</translation>
    </message>
    <message>
        <source>Measuring this machine</source>
        <translation>Diese Maschine wird gemessen</translation>
    </message>
    <message>
        <source>Calibrating predictions</source>
        <translation>Vorhersagen werden kalibriert</translation>
    </message>
    <message>
        <source>Score heads</source>
        <translation>Köpfe bewerten</translation>
    </message>
    <message>
        <source>Scoring heads: prompt %1 of %2</source>
        <translation>Köpfe werden bewertet: Prompt %1 von %2</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>Messen</translation>
    </message>
    <message>
        <source>Measuring: sample %1 of %2</source>
        <translation>Es wird gemessen: Probe %1 von %2</translation>
    </message>
    <message>
        <source>Measuring</source>
        <translation>Es wird gemessen</translation>
    </message>
    <message>
        <source>Measuring up to %1 tokens: a longer prefill would take more than %2 here.</source>
        <translation>Gemessen wird bis %1 Token: ein längerer Prefill würde hier mehr als %2 dauern.</translation>
    </message>
    <message>
        <source>Needle</source>
        <translation>Nadel</translation>
    </message>
    <message>
        <source>Needle, %1</source>
        <translation>Nadel, %1</translation>
    </message>
    <message>
        <source>Calibrating what stands in for sinks</source>
        <translation>Ersatz für Senken wird kalibriert</translation>
    </message>
    <message>
        <source>Needle, %1: question %2 of %3</source>
        <translation>Nadel, %1: Frage %2 von %3</translation>
    </message>
    <message>
        <source>Attention to needles</source>
        <translation>Attention auf Nadeln</translation>
    </message>
    <message>
        <source>Timing the model</source>
        <translation>Die Zeit des Modells wird genommen</translation>
    </message>
    <message>
        <source>Measuring what a token takes</source>
        <translation>Es wird gemessen, was ein Token dauert</translation>
    </message>
    <message>
        <source>Step 1 of 3: ordering the layers</source>
        <translation>Schritt 1 von 3: die Schichten ordnen</translation>
    </message>
    <message>
        <source>Step 2 of 3: trying maps</source>
        <translation>Schritt 2 von 3: Karten versuchen</translation>
    </message>
    <message>
        <source>Step 3 of 3: judging the best</source>
        <translation>Schritt 3 von 3: die besten beurteilen</translation>
    </message>
    <message>
        <source>%1 (what stands in for sinks is calibrated)</source>
        <translation>%1 (Ersatz für Senken wird kalibriert)</translation>
    </message>
    <message>
        <source>Recommended order, %1</source>
        <translation>Empfohlene Reihenfolge, %1</translation>
    </message>
    <message>
        <source>Writing the map and its export</source>
        <translation>Karte und Export werden geschrieben</translation>
    </message>
    <message>
        <source>Recommend a map for %1</source>
        <translation>Eine Karte für %1 empfehlen</translation>
    </message>
    <message>
        <source>recommended for %1</source>
        <translation>empfohlen für %1</translation>
    </message>
    <message>
        <source>Attention to needles, %1 of %2 prompts</source>
        <translation>Attention auf Nadeln, %1 von %2 Prompts</translation>
    </message>
    <message>
        <source>%1 (what stands in for sinks is fitted: %2 %)</source>
        <translation>%1 (der Ersatz für Senken wird angepasst: %2 %)</translation>
    </message>
</context>
<context>
    <name>zigzag::TimelineView</name>
    <message>
        <source>Timeline</source>
        <translation>Zeitleiste</translation>
    </message>
    <message>
        <source>the timeline</source>
        <translation>die Zeitleiste</translation>
    </message>
</context>
<context>
    <name>zigzag::TraceModel</name>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>pass</source>
        <translation>Durchgang</translation>
    </message>
    <message>
        <source>op</source>
        <translation>op</translation>
    </message>
    <message>
        <source>inside op</source>
        <translation>in Op</translation>
    </message>
    <message>
        <source>inside</source>
        <translation>in</translation>
    </message>
    <message>
        <source> layer %1 %2</source>
        <translation> Schicht %1 %2</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>Schicht %1</translation>
    </message>
    <message>
        <source>prefill %1–%2</source>
        <translation>prefill %1–%2</translation>
    </message>
    <message>
        <source>decode at %1</source>
        <translation>Decode bei %1</translation>
    </message>
    <message>
        <source>layer %1, %2</source>
        <translation>Schicht %1, %2</translation>
    </message>
    <message>
        <source>%1, begins at %2</source>
        <translation>%1, beginnt bei %2</translation>
    </message>
    <message>
        <source>launched by %1</source>
        <translation>gestartet von %1</translation>
    </message>
    <message>
        <source>launched by an unknown span</source>
        <translation>gestartet von einem unbekannten Span</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
    <message>
        <source>floor %1: %2 of it reached</source>
        <translation>Untergrenze %1: %2 davon erreicht</translation>
    </message>
    <message>
        <source>rank %1: %2</source>
        <translation>Rang %1: %2</translation>
    </message>
    <message>
        <source>between ranks</source>
        <translation>zwischen Rängen</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>all-reduce</source>
        <translation>All-Reduce</translation>
    </message>
    <message>
        <source>all-gather</source>
        <translation>All-Gather</translation>
    </message>
    <message>
        <source>in %1</source>
        <translation>in %1</translation>
    </message>
    <message>
        <source>until the last rank has come</source>
        <translation>bis der letzte Rang da ist</translation>
    </message>
</context>
<context>
    <name>zigzag::UnitTicker</name>
    <message>
        <source>keys</source>
        <translation>Schlüssel</translation>
    </message>
</context>
</TS>
