<?xml version="1.0" encoding="UTF-8"?>
<!-- The page of BadStripsSummaryFile.xml, and the pieces that all other pages share with it.
     XSLT 1.0. The page needs nothing but itself: no script, no font, no link to anywhere else. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" encoding="UTF-8" doctype-system="about:legacy-compat" indent="no"/>
  <xsl:strip-space elements="run chips chip modules module channels channel"/>
  <xsl:param name="file"/>

  <!-- The page of a summary -->

  <xsl:template match="/run">
    <xsl:variable name="flag" select="value[@name='Flag']"/>
    <html lang="en">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="concat('Noisy strips, run ', value[@name='RunNumber'])"/>
      </xsl:call-template>
      <body class="flag-{$flag}">
        <header>
          <h1>Noisy strips <span class="run">run <xsl:value-of select="value[@name='RunNumber']"/></span></h1>
          <span class="badge"><xsl:call-template name="flag-name"/></span>
          <xsl:if test="modules">
            <nav>
              <a href="#checks">checks</a>
              <a href="#chips">chips <b><xsl:value-of select="count(chips/chip)"/></b></a>
              <a href="#modules">modules <b><xsl:value-of select="count(modules/module)"/></b></a>
            </nav>
          </xsl:if>
        </header>
        <main>
          <p class="verdict"><xsl:call-template name="verdict"/></p>
          <xsl:call-template name="figures"/>
          <xsl:call-template name="checks"/>
          <xsl:apply-templates select="chips"/>
          <xsl:apply-templates select="modules"/>
          <xsl:if test="modules"><xsl:call-template name="legend"/></xsl:if>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="flag-name">
    <xsl:variable name="flag" select="value[@name='Flag']"/>
    <xsl:choose>
      <xsl:when test="$flag='G'">green</xsl:when>
      <xsl:when test="$flag='Y'">yellow</xsl:when>
      <xsl:when test="$flag='R'">red</xsl:when>
      <xsl:otherwise>not tested</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="verdict">
    <xsl:variable name="flag" select="value[@name='Flag']"/>
    <xsl:choose>
      <xsl:when test="not(modules)">The hit maps of this run are empty: there is nothing to upload.</xsl:when>
      <xsl:when test="$flag='G'">All checks of the upload test passed.</xsl:when>
      <xsl:when test="$flag='Y'">Noise increased more than usual: look at the new strips before an upload.</xsl:when>
      <xsl:when test="$flag='R'">Too few events, or too many noisy modules.</xsl:when>
      <xsl:when test="value[@name='FlagEnable']='DISABLED'">The upload test is switched off.</xsl:when>
      <xsl:when test="value[@name='ReadCool']='UNAVAILABLE'">Not tested: there are no earlier uploads to compare with.</xsl:when>
      <xsl:otherwise>Not tested.</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="figures">
    <dl class="figures">
      <div class="wide">
        <dt>Time</dt>
        <dd class="text">
          <xsl:call-template name="time"><xsl:with-param name="text" select="value[@name='StartTime']"/></xsl:call-template>
          <xsl:if test="string(value[@name='EndTime'])">
            <small>to <xsl:call-template name="time"><xsl:with-param name="text" select="value[@name='EndTime']"/></xsl:call-template>,
              <xsl:call-template name="duration"/></small>
          </xsl:if>
        </dd>
      </div>
      <xsl:call-template name="figure">
        <xsl:with-param name="label">Events</xsl:with-param>
        <xsl:with-param name="number" select="value[@name='Events']"/>
        <xsl:with-param name="note" select="concat('in ', value[@name='LB'], ' lumi blocks')"/>
      </xsl:call-template>
      <xsl:call-template name="figure">
        <xsl:with-param name="label">Noisy strips</xsl:with-param>
        <xsl:with-param name="number" select="value[@name='StripsOfflineAll']"/>
        <xsl:with-param name="note" select="concat('reference ', format-number(value[@name='StripsOfflineRef'], '#,##0'))"/>
      </xsl:call-template>
      <xsl:call-template name="figure">
        <xsl:with-param name="label">New strips</xsl:with-param>
        <xsl:with-param name="number" select="value[@name='StripsOfflineNew']"/>
        <xsl:with-param name="note">not in the reference</xsl:with-param>
      </xsl:call-template>
      <xsl:call-template name="figure">
        <xsl:with-param name="label">Noisy modules</xsl:with-param>
        <xsl:with-param name="number" select="value[@name='Modules']"/>
        <xsl:with-param name="note" select="concat('reference ', format-number(value[@name='ModulesRef'], '#,##0'))"/>
      </xsl:call-template>
      <xsl:call-template name="figure">
        <xsl:with-param name="label">Changed modules</xsl:with-param>
        <xsl:with-param name="number" select="value[@name='ModulesDiff']"/>
        <xsl:with-param name="note">with those no longer noisy</xsl:with-param>
      </xsl:call-template>
      <xsl:call-template name="figure">
        <xsl:with-param name="label">Noisy links</xsl:with-param>
        <xsl:with-param name="number" select="value[@name='Links']"/>
        <xsl:with-param name="note">sides of modules</xsl:with-param>
      </xsl:call-template>
      <xsl:call-template name="figure">
        <xsl:with-param name="label">Noisy chips</xsl:with-param>
        <xsl:with-param name="number" select="count(chips/chip)"/>
        <xsl:with-param name="note" select="concat('in ', format-number(value[@name='Chips'], '#,##0'), ' modules')"/>
      </xsl:call-template>
      <div>
        <dt>Reference run</dt>
        <dd>
          <xsl:choose>
            <xsl:when test="string(value[@name='ReferenceRun'])"><xsl:value-of select="value[@name='ReferenceRun']"/></xsl:when>
            <xsl:otherwise><span class="none">none</span></xsl:otherwise>
          </xsl:choose>
          <small>averages of earlier runs <xsl:value-of select="translate(value[@name='ReadCool'], 'ABEILNUV', 'abeilnuv')"/></small>
        </dd>
      </div>
    </dl>
  </xsl:template>

  <xsl:template name="figure">
    <xsl:param name="label"/>
    <xsl:param name="number"/>
    <xsl:param name="note"/>
    <div>
      <dt><xsl:value-of select="$label"/></dt>
      <dd><xsl:value-of select="format-number($number, '#,##0')"/><small><xsl:value-of select="$note"/></small></dd>
    </div>
  </xsl:template>

  <!-- 2016-06-01_10:00:00.000000000 GMT without the nanoseconds; any other form as it stands -->
  <xsl:template name="time">
    <xsl:param name="text"/>
    <xsl:choose>
      <xsl:when test="not(string($text))"><span class="none">not known</span></xsl:when>
      <xsl:when test="contains($text, '_')"><xsl:value-of select="concat(translate(substring-before($text, '.'), '_', ' '), ' GMT')"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="$text"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="duration">
    <xsl:variable name="seconds" select="value[@name='Duration']"/>
    <xsl:choose>
      <xsl:when test="$seconds &gt;= 3600"><xsl:value-of select="concat(floor($seconds div 3600), ' h ', floor($seconds mod 3600 div 60), ' min')"/></xsl:when>
      <xsl:when test="$seconds &gt;= 60"><xsl:value-of select="concat(floor($seconds div 60), ' min ', $seconds mod 60, ' s')"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="concat($seconds, ' s')"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- The checks of the upload test; which of them failed is told by the reason -->

  <xsl:template name="checks">
    <section id="checks">
      <h2>Upload test <span class="state"><xsl:value-of select="translate(value[@name='FlagEnable'], 'ABDEILNS', 'abdeilns')"/></span></h2>
      <ul class="checks">
        <xsl:call-template name="check"/>
      </ul>
    </section>
  </xsl:template>

  <xsl:template name="check">
    <xsl:param name="texts" select="value[@name='CheckList']"/>
    <xsl:variable name="text" select="substring-before(concat($texts, '; '), '; ')"/>
    <xsl:variable name="rest" select="substring-after($texts, '; ')"/>
    <xsl:variable name="failed" select="contains(concat(value[@name='FlagReason'], '; '), concat('FAILED in ', $text, '; '))"/>
    <xsl:if test="$text">
      <xsl:choose>
        <xsl:when test="not(modules)"><li class="failed"><xsl:value-of select="$text"/></li></xsl:when>
        <xsl:when test="value[@name='Flag']='U'"><li class="untested"><xsl:value-of select="$text"/></li></xsl:when>
        <xsl:when test="$failed"><li class="failed"><xsl:value-of select="$text"/></li></xsl:when>
        <xsl:otherwise><li class="passed"><xsl:value-of select="$text"/></li></xsl:otherwise>
      </xsl:choose>
    </xsl:if>
    <xsl:if test="$rest">
      <xsl:call-template name="check"><xsl:with-param name="texts" select="$rest"/></xsl:call-template>
    </xsl:if>
  </xsl:template>

  <!-- Noisy chips -->

  <xsl:template match="chips">
    <section id="chips">
      <h2>Noisy chips</h2>
      <xsl:choose>
        <xsl:when test="not(chip)"><p class="none">none</p></xsl:when>
        <xsl:otherwise>
          <table class="chips">
            <colgroup><col class="position"/><col class="where"/><col class="serial"/><col class="small"/><col class="small"/><col class="fraction"/><col/></colgroup>
            <thead>
              <tr>
                <th>module</th><th class="where">where</th><th class="serial">serial number</th><th>side</th><th>chip</th>
                <th>noisy fraction</th>
                <th title="As in the file: the number of the lumi block minus one">noisy lumi blocks (number minus one)</th>
              </tr>
            </thead>
            <tbody><xsl:apply-templates select="chip"/></tbody>
          </table>
        </xsl:otherwise>
      </xsl:choose>
    </section>
  </xsl:template>

  <xsl:template match="chip">
    <xsl:variable name="position" select="value[@name='BecLayerPhiEta']"/>
    <xsl:variable name="fraction" select="value[@name='LBFraction']"/>
    <tr>
      <td class="position"><a href="#m{$position}"><xsl:value-of select="$position"/></a></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td class="serial"><xsl:value-of select="value[@name='SN']"/></td>
      <td><xsl:value-of select="floor(value[@name='ChipID'] div 6)"/></td>
      <td><xsl:value-of select="value[@name='ChipID']"/></td>
      <td class="fraction">
        <span class="gauge"><i style="width:{format-number($fraction * 100, '0.#')}%"></i></span>
        <xsl:choose>
          <xsl:when test="$fraction &gt; 0 and $fraction &lt; 0.001">&lt; 0.1 %</xsl:when>
          <xsl:otherwise><xsl:value-of select="format-number($fraction * 100, '0.0')"/> %</xsl:otherwise>
        </xsl:choose>
      </td>
      <td><div class="list"><xsl:value-of select="value[@name='LB']"/></div></td>
    </tr>
  </xsl:template>

  <!-- Noisy modules, with filters that work without a script: radio buttons before the table -->

  <xsl:template match="modules">
    <section id="modules">
      <h2>Noisy modules</h2>
      <xsl:choose>
        <xsl:when test="not(module)"><p class="none">none</p></xsl:when>
        <xsl:otherwise>
          <xsl:call-template name="filters"/>
          <table class="modules">
            <colgroup><col class="position"/><col class="where"/><col class="serial"/><col class="small"/><col class="small"/><col/><col/><col/></colgroup>
            <thead>
              <tr>
                <th>module</th><th class="where">where</th><th class="serial">serial number</th>
                <th>links</th><th>chips</th><th>all noisy strips</th><th>new</th><th>reference</th>
              </tr>
            </thead>
            <tbody><xsl:apply-templates select="module"/></tbody>
          </table>
        </xsl:otherwise>
      </xsl:choose>
    </section>
  </xsl:template>

  <xsl:template name="filters">
    <xsl:variable name="c" select="count(module[starts-with(value[@name='BecLayerPhiEta'], '-2.')])"/>
    <xsl:variable name="b" select="count(module[starts-with(value[@name='BecLayerPhiEta'], '0.')])"/>
    <xsl:variable name="new" select="count(module[string(value[@name='StripOfflineNew'])])"/>
    <xsl:variable name="same" select="count(module[value[@name='StripOfflineAll'] = value[@name='StripOfflineRef']])"/>
    <span class="filter">region</span>
    <input type="radio" name="region" id="region-any" checked="checked"/><label for="region-any">all <b><xsl:value-of select="count(module)"/></b></label>
    <input type="radio" name="region" id="region-c"/><label for="region-c">end cap C <b><xsl:value-of select="$c"/></b></label>
    <input type="radio" name="region" id="region-b"/><label for="region-b">barrel <b><xsl:value-of select="$b"/></b></label>
    <input type="radio" name="region" id="region-a"/><label for="region-a">end cap A <b><xsl:value-of select="count(module) - $b - $c"/></b></label>
    <span class="filter">list</span>
    <input type="radio" name="change" id="change-any" checked="checked"/><label for="change-any">any</label>
    <input type="radio" name="change" id="change-some"/><label for="change-some">changed <b><xsl:value-of select="count(module) - $same"/></b></label>
    <input type="radio" name="change" id="change-new"/><label for="change-new">with new strips <b><xsl:value-of select="$new"/></b></label>
  </xsl:template>

  <xsl:template match="module">
    <xsl:variable name="position" select="value[@name='BecLayerPhiEta']"/>
    <xsl:variable name="all" select="value[@name='StripOfflineAll']"/>
    <xsl:variable name="new" select="value[@name='StripOfflineNew']"/>
    <xsl:variable name="ref" select="value[@name='StripOfflineRef']"/>
    <xsl:variable name="region" select="translate(substring-before($position, '.'), '-', 'm')"/>
    <tr id="m{$position}">
      <xsl:attribute name="class">
        <xsl:value-of select="concat('bec', $region)"/>
        <xsl:if test="string($new)"> new</xsl:if>
        <xsl:if test="$all = $ref"> same</xsl:if>
      </xsl:attribute>
      <td class="position"><xsl:value-of select="$position"/></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td class="serial"><xsl:value-of select="value[@name='SN']"/></td>
      <td><xsl:value-of select="value[@name='LinkID']"/></td>
      <td><xsl:value-of select="value[@name='ChipID']"/></td>
      <td><xsl:call-template name="strips"><xsl:with-param name="text" select="$all"/></xsl:call-template></td>
      <td class="strips-new"><xsl:call-template name="strips"><xsl:with-param name="text" select="$new"/></xsl:call-template></td>
      <td class="strips-ref"><xsl:call-template name="strips"><xsl:with-param name="text" select="$ref"/></xsl:call-template></td>
    </tr>
  </xsl:template>

  <!-- What both pages share -->

  <!-- bec.layer.phi.eta in words -->
  <xsl:template name="where">
    <xsl:param name="position"/>
    <xsl:variable name="bec" select="substring-before($position, '.')"/>
    <xsl:variable name="layer" select="substring-before(substring-after($position, '.'), '.')"/>
    <xsl:variable name="eta" select="substring-after(substring-after(substring-after($position, '.'), '.'), '.')"/>
    <xsl:choose>
      <xsl:when test="$bec = '0'"><xsl:value-of select="concat('barrel, layer ', $layer)"/></xsl:when>
      <xsl:otherwise>
        <xsl:choose><xsl:when test="$bec = '2'">end cap A</xsl:when><xsl:otherwise>end cap C</xsl:otherwise></xsl:choose>
        <xsl:value-of select="concat(', disk ', $layer, ', ')"/>
        <xsl:choose><xsl:when test="$eta = '0'">outer</xsl:when><xsl:when test="$eta = '1'">middle</xsl:when><xsl:otherwise>inner</xsl:otherwise></xsl:choose>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="strips">
    <xsl:param name="text"/>
    <xsl:if test="string($text)">
      <b class="count"><xsl:call-template name="count"><xsl:with-param name="list" select="normalize-space($text)"/></xsl:call-template></b>
      <div class="list"><xsl:value-of select="$text"/></div>
    </xsl:if>
  </xsl:template>

  <!-- How many strips the words a and a-b stand for -->
  <xsl:template name="count">
    <xsl:param name="list"/>
    <xsl:param name="sum" select="0"/>
    <xsl:variable name="word" select="substring-before(concat($list, ' '), ' ')"/>
    <xsl:variable name="last" select="substring-after($word, '-')"/>
    <xsl:choose>
      <xsl:when test="not($word)"><xsl:value-of select="$sum"/></xsl:when>
      <xsl:when test="$last">
        <xsl:call-template name="count">
          <xsl:with-param name="list" select="substring-after($list, ' ')"/>
          <xsl:with-param name="sum" select="$sum + $last - substring-before($word, '-') + 1"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:otherwise>
        <xsl:call-template name="count">
          <xsl:with-param name="list" select="substring-after($list, ' ')"/>
          <xsl:with-param name="sum" select="$sum + 1"/>
        </xsl:call-template>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="legend">
    <p class="legend">
      Module: bec.layer.phi.eta. Strips: 0–767 are the offline strips of side 0, 768–1535 those of side 1.
      Chips: 0–5 on side 0, 6–11 on side 1, in readout order. Links: the noisy sides of the module.
      New: noisy in this run and not in the reference run.
      Lumi blocks are numbered from 0 in this list, as the file has them: 1 stands for lumi block 2.
    </p>
  </xsl:template>

  <xsl:template name="footer">
    <xsl:if test="$file"><footer><xsl:value-of select="$file"/></footer></xsl:if>
  </xsl:template>

  <xsl:template name="head">
    <xsl:param name="title"/>
    <head>
      <title><xsl:value-of select="$title"/></title>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
      <style>
:root {
  --bar: 3.25rem; --paper: #fff; --ground: #f4f5f7; --ink: #1c2330; --faint: #5d6778; --line: #d9dde3;
  --link: #1257b0; --new: #a33a00; --flag: #6b7280; --on-flag: #fff; --good: #17803d; --bad: #c02626;
}
.flag-G { --flag: #17803d; }
.flag-Y { --flag: #f5c518; --on-flag: #201a00; }
.flag-R { --flag: #c02626; }
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161b22; --ground: #0d1117; --ink: #e4e8ee; --faint: #98a3b3; --line: #2c3440;
    --link: #79b4ff; --new: #ffab70; --good: #4cc276; --bad: #ff7b72;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: calc(var(--bar) + 2.5rem); }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header {
  position: sticky; top: 0; z-index: 2; height: var(--bar); padding: 0 1.5rem; display: flex; align-items: center;
  gap: 1rem; background: var(--paper); border-bottom: 3px solid var(--flag); white-space: nowrap;
}
h1 { margin: 0; font-size: 1.15rem; font-weight: 600; overflow: hidden; text-overflow: ellipsis; }
h1 .run { margin-left: .5rem; color: var(--faint); font-weight: 400; }
h2 { margin: 0 0 .75rem; font-size: 1.05rem; font-weight: 600; }
h2 .state { margin-left: .5rem; color: var(--faint); font-size: .85rem; font-weight: 400; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
nav { margin-left: auto; display: flex; gap: 1.25rem; }
.badge { padding: .15rem .75rem; border-radius: 1rem; background: var(--flag); color: var(--on-flag); font-weight: 600; }
main { max-width: 100rem; margin: 0 auto; padding: 1.25rem 1.5rem; }
section { margin: 1.25rem 0; padding: 1rem 1.25rem 1.25rem; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; }
.verdict { margin: 0 0 1rem; padding-left: .75rem; border-left: .3rem solid var(--flag); font-size: 1.05rem; }
.none, .legend, footer { color: var(--faint); }
p.none { margin: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 0; }
.figures div { padding: .6rem .9rem; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; }
.figures .wide { grid-column: span 2; }
.figures dt { color: var(--faint); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.figures dd.text { font-size: 1.1rem; line-height: 1.7; }
.figures small { display: block; min-height: 1.2em; color: var(--faint); font-size: .85rem; font-weight: 400; line-height: 1.4; }
.checks { margin: 0; padding: 0; list-style: none; }
.checks li { position: relative; padding: .2rem 0 .2rem 7.25rem; }
.checks li::before { position: absolute; left: 0; font-weight: 600; }
.passed::before { content: "\2713  passed"; color: var(--good); }
.failed::before { content: "\2717  failed"; color: var(--bad); }
.untested::before { content: "\2013  not tested"; color: var(--faint); }
table { width: 100%; border-collapse: collapse; table-layout: fixed; font-variant-numeric: tabular-nums; }
th {
  position: sticky; top: var(--bar); z-index: 1; padding: .45rem .6rem; background: var(--paper); color: var(--faint);
  font-size: .8rem; font-weight: 600; text-align: left; vertical-align: bottom; box-shadow: inset 0 -1px var(--line);
}
td { padding: .35rem .6rem; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
tbody tr:first-child td { border-top: 0; }
tbody tr:hover { background: var(--ground); }
tr:target { background: var(--ground); box-shadow: inset .25rem 0 var(--link); }
col.position { width: 6.5rem; } col.where { width: 13.5rem; } col.serial { width: 10.5rem; }
col.small { width: 4.5rem; } col.fraction { width: 13rem; } col.type { width: 6.5rem; }
td.position, td.where, td.serial { white-space: nowrap; }
td.position { font-weight: 600; }
td.where, td.serial, .strips-ref { color: var(--faint); }
.strips-new { color: var(--new); }
.count { float: left; min-width: 2.75rem; padding-right: .6rem; text-align: right; }
.list { max-height: 7.4em; overflow-y: auto; font-size: .9em; line-height: 1.6; }
.gauge { display: inline-block; width: 5.5rem; height: .55rem; margin-right: .5rem; border-radius: .3rem; background: var(--line); overflow: hidden; }
.gauge i { display: block; height: 100%; background: var(--new); }
input[type=radio] { position: absolute; opacity: 0; }
.filter { margin: 0 .3rem 0 0; color: var(--faint); font-size: .85rem; }
label + .filter { margin-left: 1.5rem; }
label { display: inline-block; margin: 0 .15rem .75rem; padding: .1rem .65rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .9rem; cursor: pointer; }
label b, nav b { color: var(--faint); font-weight: 400; }
input:checked + label { border-color: var(--link); color: var(--link); box-shadow: inset 0 0 0 1px var(--link); }
input:focus-visible + label { outline: 2px solid var(--link); outline-offset: 2px; }
#region-c:checked ~ table tbody tr:not(.becm2), #region-b:checked ~ table tbody tr:not(.bec0),
#region-a:checked ~ table tbody tr:not(.bec2), #change-some:checked ~ table tbody tr.same,
#change-new:checked ~ table tbody tr:not(.new) { display: none; }
.legend { margin: 1rem 0 0; max-width: 70rem; font-size: .85rem; }
footer { padding: 0 1.5rem 1.5rem; font-size: .85rem; text-align: center; overflow-wrap: anywhere; }
@media (max-width: 60rem) { .serial, col.serial { display: none; } }
@media (max-width: 45rem) {
  .where, col.where, nav { display: none; }
  .figures .wide { grid-column: auto; }
  header, main { padding-left: .75rem; padding-right: .75rem; }
  section { padding: .75rem; }
  col.position { width: 5.5rem; } col.small { width: 3rem; } col.fraction { width: 5rem; }
  .gauge { display: none; }
  .count { float: none; display: block; text-align: left; }
}
@media print {
  :root { --paper: #fff; --ground: #fff; --ink: #000; --faint: #444; --line: #bbb; --link: #000; --new: #000; }
  body { font-size: 9pt; }
  header, th { position: static; }
  header { padding: 0; } main { padding: .5rem 0; max-width: none; }
  section { padding: 0; border: 0; }
  nav, input, label, .filter, .gauge { display: none; }
  col.position { width: 4.5rem; } col.where { width: 9.5rem; } col.small { width: 3rem; } col.fraction { width: 6rem; }
  .list { max-height: none; overflow: visible; }
  .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .strips-new { font-weight: 600; }
  tr { break-inside: avoid; }
}
      </style>
      <xsl:call-template name="more-style"/>
    </head>
  </xsl:template>

  <!-- For style sheets that import this one -->
  <xsl:template name="more-style"/>
</xsl:stylesheet>
