<?xml version="1.0" encoding="UTF-8"?>
<!-- What the pages of efficiency, occupancies and byte-stream errors share: the run, the map of layers and rings,
     the map of all sides, lists of sides. The style sheet of each kind imports this one and defines
     $title, $scale, $unit, $note and the templates "value" and "list" where it has other ones. XSLT 1.0. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="BadStrips.xsl"/>
  <xsl:strip-space elements="data parts folder folderDefinition folderDescription payloadDescription"/>

  <xsl:variable name="title"/>
  <!-- Class of the body: how colours follow values -->
  <xsl:variable name="scale"/>
  <!-- Numbers are shown in units of 10^-power -->
  <xsl:variable name="power" select="0"/>
  <xsl:variable name="unit"/>
  <xsl:variable name="note"/>
  <!-- What is said if all averages are 0 -->
  <xsl:variable name="empty">Nothing was measured: all values are 0.</xsl:variable>
  <!-- How many sides the list of the extreme ones has -->
  <xsl:variable name="extreme" select="100"/>

  <!-- Sides by bec/layer/side/eta; in NoiseOccupancyFile.xml only the identifier tells the side -->
  <xsl:key name="row" match="modules/module" use="concat(value[@name='barrel_endcap'], '/', value[@name='Layer'], '/', value[@name='Side'], '/', value[@name='Eta'])"/>
  <xsl:key name="row" match="data/module" use="concat(value[@name='barrel_endcap'], '/', value[@name='layer'], '/', value[@name='side'], '/', value[@name='eta'])"/>
  <xsl:key name="row" match="channel" use="concat(value[@name='barrel_endcap'], '/', value[@name='Layer'], '/', floor(@id div 1024) mod 2, '/', value[@name='Eta'])"/>

  <xsl:template match="/run">
    <xsl:call-template name="page"><xsl:with-param name="run" select="value[@name='RunNumber']"/></xsl:call-template>
  </xsl:template>

  <xsl:template match="/channels">
    <xsl:call-template name="page"><xsl:with-param name="run" select="floor(@since div 4294967296)"/></xsl:call-template>
  </xsl:template>

  <xsl:template name="page">
    <xsl:param name="run"/>
    <html lang="en">
      <xsl:call-template name="head"><xsl:with-param name="title" select="concat($title, ', run ', $run)"/></xsl:call-template>
      <body class="scale-{$scale}">
        <header>
          <h1><xsl:value-of select="$title"/><span class="run"> run <xsl:value-of select="$run"/></span></h1>
          <xsl:if test="not(data/parts)">
            <nav><a href="#bec0">barrel</a><a href="#becm2">end cap C</a><a href="#bec2">end cap A</a><a href="#list">list</a></nav>
          </xsl:if>
        </header>
        <main>
          <xsl:choose>
            <xsl:when test="data/parts">
              <xsl:if test="not(data/parts/value[4][. != 0])"><p class="verdict"><xsl:value-of select="$empty"/></p></xsl:if>
              <xsl:call-template name="layer-figures"/>
              <xsl:call-template name="layer-maps"/>
            </xsl:when>
            <xsl:otherwise>
              <xsl:call-template name="side-figures"/>
              <xsl:call-template name="side-maps"/>
            </xsl:otherwise>
          </xsl:choose>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="run-figures">
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
      <xsl:with-param name="note">
        <xsl:if test="value[@name='LB'] &gt; 0"><xsl:value-of select="concat('in ', value[@name='LB'], ' lumi blocks')"/></xsl:if>
      </xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template name="text-figure">
    <xsl:param name="label"/>
    <xsl:param name="text"/>
    <xsl:param name="note"/>
    <div><dt><xsl:value-of select="$label"/></dt><dd><xsl:copy-of select="$text"/><small><xsl:value-of select="$note"/></small></dd></div>
  </xsl:template>

  <!-- Layers and rings -->

  <xsl:template name="layer-figures">
    <xsl:variable name="name" select="data/parts[1]/value[4]/@name"/>
    <dl class="figures">
      <xsl:call-template name="run-figures"/>
      <xsl:call-template name="part-figure"><xsl:with-param name="label">End cap C</xsl:with-param><xsl:with-param name="parts" select="data/parts[value = 'EndCapC'][value/@name = $name]"/></xsl:call-template>
      <xsl:call-template name="part-figure"><xsl:with-param name="label">Barrel</xsl:with-param><xsl:with-param name="parts" select="data/parts[value = 'Barrel'][value/@name = $name]"/></xsl:call-template>
      <xsl:call-template name="part-figure"><xsl:with-param name="label">End cap A</xsl:with-param><xsl:with-param name="parts" select="data/parts[value = 'EndCapA'][value/@name = $name]"/></xsl:call-template>
    </dl>
  </xsl:template>

  <xsl:template name="part-figure">
    <xsl:param name="label"/>
    <xsl:param name="parts"/>
    <xsl:variable name="mean"><xsl:call-template name="mean"><xsl:with-param name="parts" select="$parts"/></xsl:call-template></xsl:variable>
    <xsl:call-template name="text-figure">
      <xsl:with-param name="label" select="$label"/>
      <xsl:with-param name="text"><xsl:call-template name="digits"><xsl:with-param name="number" select="number($mean)"/></xsl:call-template><span class="unit"><xsl:value-of select="$unit"/></span></xsl:with-param>
      <xsl:with-param name="note">mean of all sides</xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <!-- Mean in shown units, weighted with the sides of each layer or ring -->
  <xsl:template name="mean">
    <xsl:param name="parts"/>
    <xsl:param name="sum" select="0"/>
    <xsl:param name="weights" select="0"/>
    <xsl:choose>
      <xsl:when test="not($parts)"><xsl:value-of select="$sum div $weights"/></xsl:when>
      <xsl:otherwise>
        <xsl:variable name="sides"><xsl:apply-templates select="$parts[1]" mode="sides"/></xsl:variable>
        <xsl:variable name="one"><xsl:call-template name="scaled"><xsl:with-param name="text" select="$parts[1]/value[4]"/></xsl:call-template></xsl:variable>
        <xsl:call-template name="mean">
          <xsl:with-param name="parts" select="$parts[position() &gt; 1]"/>
          <xsl:with-param name="sum" select="$sum + $sides * $one"/>
          <xsl:with-param name="weights" select="$weights + $sides"/>
        </xsl:call-template>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- Sides of a layer or ring -->
  <xsl:template match="parts" mode="sides">
    <xsl:choose>
      <xsl:when test="value[@name='eta'] = 'all'"><xsl:value-of select="768 + 192 * value[@name='layer']"/></xsl:when>
      <xsl:when test="value[@name='eta'] = 0">104</xsl:when>
      <xsl:otherwise>80</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="layer-maps">
    <xsl:call-template name="layer-map"><xsl:with-param name="parts" select="data/parts[value/@name = ../parts[1]/value[4]/@name]"/></xsl:call-template>
  </xsl:template>

  <xsl:template name="layer-map">
    <xsl:param name="parts"/>
    <xsl:param name="heading">Layers and rings</xsl:param>
    <section>
      <h2><xsl:value-of select="$heading"/><xsl:if test="$unit"> <span class="state"><xsl:value-of select="$unit"/></span></xsl:if></h2>
      <div class="detector">
        <xsl:call-template name="end-cap">
          <xsl:with-param name="parts" select="$parts[value = 'EndCapC']"/>
          <xsl:with-param name="label">End cap C</xsl:with-param>
          <xsl:with-param name="order">descending</xsl:with-param>
        </xsl:call-template>
        <table class="grid barrel">
          <thead><tr><th colspan="2">Barrel</th></tr></thead>
          <tbody>
            <xsl:for-each select="$parts[value = 'Barrel']">
              <xsl:sort select="value[@name='layer']" data-type="number" order="descending"/>
              <tr><th>layer <xsl:value-of select="value[@name='layer']"/></th><xsl:apply-templates select="." mode="cell"/></tr>
            </xsl:for-each>
          </tbody>
        </table>
        <xsl:call-template name="end-cap">
          <xsl:with-param name="parts" select="$parts[value = 'EndCapA']"/>
          <xsl:with-param name="label">End cap A</xsl:with-param>
          <xsl:with-param name="order">ascending</xsl:with-param>
        </xsl:call-template>
      </div>
      <xsl:call-template name="scale-bar"/>
    </section>
  </xsl:template>

  <!-- Disks across, with disk 0 on the side of the barrel; rings downwards -->
  <xsl:template name="end-cap">
    <xsl:param name="parts"/>
    <xsl:param name="label"/>
    <xsl:param name="order"/>
    <table class="grid">
      <thead>
        <tr><th></th><th colspan="9"><xsl:value-of select="$label"/></th></tr>
        <tr>
          <th></th>
          <xsl:for-each select="$parts[value[@name='eta'] = 0]">
            <xsl:sort select="value[@name='layer']" data-type="number" order="{$order}"/>
            <th><xsl:value-of select="value[@name='layer']"/></th>
          </xsl:for-each>
        </tr>
      </thead>
      <tbody>
        <xsl:call-template name="ring"><xsl:with-param name="parts" select="$parts"/><xsl:with-param name="order" select="$order"/><xsl:with-param name="ring" select="0"/><xsl:with-param name="label">outer</xsl:with-param></xsl:call-template>
        <xsl:call-template name="ring"><xsl:with-param name="parts" select="$parts"/><xsl:with-param name="order" select="$order"/><xsl:with-param name="ring" select="1"/><xsl:with-param name="label">middle</xsl:with-param></xsl:call-template>
        <xsl:call-template name="ring"><xsl:with-param name="parts" select="$parts"/><xsl:with-param name="order" select="$order"/><xsl:with-param name="ring" select="2"/><xsl:with-param name="label">inner</xsl:with-param></xsl:call-template>
      </tbody>
    </table>
  </xsl:template>

  <xsl:template name="ring">
    <xsl:param name="parts"/>
    <xsl:param name="order"/>
    <xsl:param name="ring"/>
    <xsl:param name="label"/>
    <tr>
      <th><xsl:value-of select="$label"/></th>
      <xsl:for-each select="$parts[value[@name='eta'] = 0]">
        <xsl:sort select="value[@name='layer']" data-type="number" order="{$order}"/>
        <xsl:variable name="layer" select="value[@name='layer']"/>
        <xsl:variable name="here" select="$parts[value[@name='layer'] = $layer and value[@name='eta'] = $ring]"/>
        <xsl:apply-templates select="$here" mode="cell"/>
        <xsl:if test="not($here)"><td></td></xsl:if>
      </xsl:for-each>
    </tr>
  </xsl:template>

  <xsl:template match="parts" mode="cell">
    <xsl:variable name="number"><xsl:call-template name="scaled"><xsl:with-param name="text" select="value[4]"/></xsl:call-template></xsl:variable>
    <td title="{value[4]}">
      <xsl:call-template name="colour"><xsl:with-param name="number" select="number($number)"/></xsl:call-template>
      <xsl:call-template name="digits"><xsl:with-param name="number" select="number($number)"/></xsl:call-template>
    </td>
  </xsl:template>

  <!-- Attributes that give a cell its colour -->
  <xsl:template name="colour">
    <xsl:param name="number"/>
    <xsl:choose>
      <xsl:when test="not($number &gt;= 0)"><xsl:attribute name="class">no-data</xsl:attribute></xsl:when>
      <xsl:when test="$number = 0"><xsl:attribute name="class">zero</xsl:attribute></xsl:when>
      <xsl:otherwise><xsl:attribute name="class">v</xsl:attribute><xsl:attribute name="style"><xsl:value-of select="concat('--v:', $number)"/></xsl:attribute></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="scale-bar">
    <div class="scale">
      <i class="zero"></i><span><xsl:call-template name="zero-label"/></span>
      <span class="low"><xsl:call-template name="low-label"/></span>
      <i class="steps"></i>
      <span><xsl:call-template name="high-label"/></span>
    </div>
    <p class="legend"><xsl:value-of select="$note"/></p>
  </xsl:template>

  <xsl:template name="zero-label">0</xsl:template>
  <xsl:template name="low-label"/>
  <xsl:template name="high-label"/>

  <!-- Numbers. XPath 1.0 has no exponents, so 5e-06 is taken apart. -->

  <!-- A text of the file in the units shown -->
  <xsl:template name="scaled">
    <xsl:param name="text"/>
    <xsl:choose>
      <xsl:when test="contains($text, 'e')">
        <xsl:call-template name="shifted">
          <xsl:with-param name="number" select="number(substring-before($text, 'e'))"/>
          <xsl:with-param name="power" select="$power + number(translate(substring-after($text, 'e'), '+', ''))"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:otherwise>
        <xsl:call-template name="shifted"><xsl:with-param name="number" select="number($text)"/></xsl:call-template>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="shifted">
    <xsl:param name="number"/>
    <xsl:param name="power" select="$power"/>
    <xsl:choose>
      <xsl:when test="$power &gt; 0"><xsl:call-template name="shifted"><xsl:with-param name="number" select="$number * 10"/><xsl:with-param name="power" select="$power - 1"/></xsl:call-template></xsl:when>
      <xsl:when test="$power &lt; 0"><xsl:call-template name="shifted"><xsl:with-param name="number" select="$number div 10"/><xsl:with-param name="power" select="$power + 1"/></xsl:call-template></xsl:when>
      <xsl:otherwise><xsl:value-of select="$number"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- About three significant digits -->
  <xsl:template name="digits">
    <xsl:param name="number"/>
    <xsl:choose>
      <xsl:when test="not($number = $number)">–</xsl:when>
      <xsl:when test="$number = 0">0</xsl:when>
      <xsl:when test="$number &lt; 1"><xsl:value-of select="format-number($number, '0.000')"/></xsl:when>
      <xsl:when test="$number &lt; 10"><xsl:value-of select="format-number($number, '0.00')"/></xsl:when>
      <xsl:when test="$number &lt; 100"><xsl:value-of select="format-number($number, '0.0')"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="format-number($number, '#,##0')"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- All sides -->

  <xsl:template match="module | channel" mode="layer"><xsl:value-of select="value[@name='Layer' or @name='layer']"/></xsl:template>
  <xsl:template match="module | channel" mode="eta"><xsl:value-of select="value[@name='Eta' or @name='eta']"/></xsl:template>
  <xsl:template match="module | channel" mode="phi"><xsl:value-of select="value[@name='Phi' or @name='phi']"/></xsl:template>
  <xsl:template match="module" mode="side"><xsl:value-of select="value[@name='Side' or @name='side']"/></xsl:template>
  <xsl:template match="channel" mode="side"><xsl:value-of select="floor(@id div 1024) mod 2"/></xsl:template>

  <xsl:template match="module | channel" mode="position">
    <xsl:value-of select="concat(value[@name='barrel_endcap'], '.')"/><xsl:apply-templates select="." mode="layer"/>
    <xsl:text>.</xsl:text><xsl:apply-templates select="." mode="phi"/>
    <xsl:text>.</xsl:text><xsl:apply-templates select="." mode="eta"/>
  </xsl:template>

  <xsl:template name="side-maps">
    <section>
      <h2>All sides</h2>
      <p class="legend first">
        One cell per side of a module: side 0 on the left, side 1 on the right; phi from left to right; eta −6 to 6, or the outer, middle and inner ring, downwards.
        Point at a cell for its position and value.
      </p>
      <xsl:call-template name="scale-bar"/>
    </section>
    <section id="bec0"><h2>Barrel</h2><xsl:call-template name="layers"><xsl:with-param name="bec">0</xsl:with-param><xsl:with-param name="last" select="3"/></xsl:call-template></section>
    <section id="becm2"><h2>End cap C</h2><xsl:call-template name="layers"><xsl:with-param name="bec">-2</xsl:with-param><xsl:with-param name="last" select="8"/></xsl:call-template></section>
    <section id="bec2"><h2>End cap A</h2><xsl:call-template name="layers"><xsl:with-param name="bec">2</xsl:with-param><xsl:with-param name="last" select="8"/></xsl:call-template></section>
    <section id="list"><xsl:call-template name="list"/></section>
    <xsl:call-template name="all-lists"/>
  </xsl:template>

  <xsl:template name="layers">
    <xsl:param name="bec"/>
    <xsl:param name="layer" select="0"/>
    <xsl:param name="last"/>
    <div class="layer">
      <h3>
        <xsl:choose><xsl:when test="$bec = 0">layer </xsl:when><xsl:otherwise>disk </xsl:otherwise></xsl:choose><xsl:value-of select="$layer"/>
        <xsl:call-template name="list-link"><xsl:with-param name="target" select="concat('list-', translate($bec, '-', 'm'), '-', $layer)"/></xsl:call-template>
      </h3>
      <xsl:call-template name="side-map"><xsl:with-param name="bec" select="$bec"/><xsl:with-param name="layer" select="$layer"/><xsl:with-param name="side" select="0"/></xsl:call-template>
      <xsl:call-template name="side-map"><xsl:with-param name="bec" select="$bec"/><xsl:with-param name="layer" select="$layer"/><xsl:with-param name="side" select="1"/></xsl:call-template>
    </div>
    <xsl:if test="$layer &lt; $last">
      <xsl:call-template name="layers"><xsl:with-param name="bec" select="$bec"/><xsl:with-param name="layer" select="$layer + 1"/><xsl:with-param name="last" select="$last"/></xsl:call-template>
    </xsl:if>
  </xsl:template>

  <xsl:template name="list-link">
    <xsl:param name="target"/>
    <a href="#{$target}">list</a>
  </xsl:template>

  <!-- One side of a layer: eta or rings downwards, phi across -->
  <xsl:template name="side-map">
    <xsl:param name="bec"/>
    <xsl:param name="layer"/>
    <xsl:param name="side"/>
    <div class="map" title="side {$side}">
      <xsl:choose>
        <xsl:when test="$bec = 0"><xsl:call-template name="rows"><xsl:with-param name="place" select="concat($bec, '/', $layer, '/', $side, '/')"/><xsl:with-param name="eta" select="-6"/><xsl:with-param name="last" select="6"/></xsl:call-template></xsl:when>
        <xsl:otherwise><xsl:call-template name="rows"><xsl:with-param name="place" select="concat($bec, '/', $layer, '/', $side, '/')"/><xsl:with-param name="eta" select="0"/><xsl:with-param name="last" select="2"/></xsl:call-template></xsl:otherwise>
      </xsl:choose>
    </div>
  </xsl:template>

  <xsl:template name="rows">
    <xsl:param name="place"/>
    <xsl:param name="eta"/>
    <xsl:param name="last"/>
    <xsl:call-template name="row"><xsl:with-param name="sides" select="key('row', concat($place, $eta))"/></xsl:call-template>
    <xsl:if test="$eta &lt; $last">
      <xsl:call-template name="rows"><xsl:with-param name="place" select="$place"/><xsl:with-param name="eta" select="$eta + 1"/><xsl:with-param name="last" select="$last"/></xsl:call-template>
    </xsl:if>
  </xsl:template>

  <xsl:template name="row">
    <xsl:param name="sides"/>
    <xsl:if test="$sides">
      <div>
        <xsl:for-each select="$sides">
          <xsl:sort select="value[@name='Phi' or @name='phi']" data-type="number"/>
          <xsl:apply-templates select="." mode="cell"/>
        </xsl:for-each>
      </div>
    </xsl:if>
  </xsl:template>

  <xsl:template match="module | channel" mode="cell">
    <xsl:variable name="number"><xsl:apply-templates select="." mode="number"/></xsl:variable>
    <i>
      <xsl:attribute name="title"><xsl:apply-templates select="." mode="position"/>, side <xsl:apply-templates select="." mode="side"/>: <xsl:apply-templates select="." mode="text"/></xsl:attribute>
      <xsl:call-template name="colour"><xsl:with-param name="number" select="number($number)"/></xsl:call-template>
    </i>
  </xsl:template>

  <!-- The value in shown units, for colours; and as it stands in the file, for readers -->
  <xsl:template match="module | channel" mode="number">
    <xsl:call-template name="scaled"><xsl:with-param name="text" select="value[@name='Efficiency' or @name='NoiseOccupancy']"/></xsl:call-template>
  </xsl:template>
  <xsl:template match="module | channel" mode="text"><xsl:value-of select="value[@name='Efficiency' or @name='NoiseOccupancy']"/></xsl:template>

  <!-- Lists of sides -->

  <xsl:template name="region-filters">
    <xsl:param name="sides"/>
    <xsl:variable name="c" select="count($sides[value[@name='barrel_endcap'] = -2])"/>
    <xsl:variable name="b" select="count($sides[value[@name='barrel_endcap'] = 0])"/>
    <span class="filter">region</span>
    <input type="radio" name="region" id="region-any" checked="checked"/><label for="region-any">all <b><xsl:value-of select="count($sides)"/></b></label>
    <input type="radio" name="region" id="region-c"/><label for="region-c">end cap C <b><xsl:value-of select="$c"/></b></label>
    <input type="radio" name="region" id="region-b"/><label for="region-b">barrel <b><xsl:value-of select="$b"/></b></label>
    <input type="radio" name="region" id="region-a"/><label for="region-a">end cap A <b><xsl:value-of select="count($sides) - $b - $c"/></b></label>
  </xsl:template>

  <!-- The sides of each layer, shown when a link asks for them -->
  <xsl:template name="all-lists">
    <xsl:call-template name="layer-lists"><xsl:with-param name="bec">-2</xsl:with-param><xsl:with-param name="last" select="8"/></xsl:call-template>
    <xsl:call-template name="layer-lists"><xsl:with-param name="bec">0</xsl:with-param><xsl:with-param name="last" select="3"/></xsl:call-template>
    <xsl:call-template name="layer-lists"><xsl:with-param name="bec">2</xsl:with-param><xsl:with-param name="last" select="8"/></xsl:call-template>
  </xsl:template>

  <xsl:template name="layer-lists">
    <xsl:param name="bec"/>
    <xsl:param name="layer" select="0"/>
    <xsl:param name="last"/>
    <section class="on-demand" id="list-{translate($bec, '-', 'm')}-{$layer}">
      <h2>
        <xsl:choose>
          <xsl:when test="$bec = 0">Barrel, layer </xsl:when>
          <xsl:when test="$bec = 2">End cap A, disk </xsl:when>
          <xsl:otherwise>End cap C, disk </xsl:otherwise>
        </xsl:choose>
        <xsl:value-of select="$layer"/> <a class="state" href="#list">hide</a>
      </h2>
      <xsl:call-template name="side-table">
        <xsl:with-param name="sides" select="(modules/module | channel)[value[@name='barrel_endcap'] = $bec and value[@name='Layer'] = $layer]"/>
      </xsl:call-template>
    </section>
    <xsl:if test="$layer &lt; $last">
      <xsl:call-template name="layer-lists"><xsl:with-param name="bec" select="$bec"/><xsl:with-param name="layer" select="$layer + 1"/><xsl:with-param name="last" select="$last"/></xsl:call-template>
    </xsl:if>
  </xsl:template>

  <xsl:template name="side-table">
    <xsl:param name="sides"/>
    <table>
      <xsl:call-template name="side-columns"/>
      <tbody><xsl:apply-templates select="$sides"/></tbody>
    </table>
  </xsl:template>

  <xsl:template name="side-columns">
    <colgroup><col class="position"/><col class="where"/><col class="small"/><col class="serial"/><col/></colgroup>
    <thead><tr><th>module</th><th class="where">where</th><th>side</th><th class="serial">serial number</th><th><xsl:value-of select="$title"/></th></tr></thead>
  </xsl:template>

  <xsl:template match="module | channel">
    <xsl:variable name="position"><xsl:apply-templates select="." mode="position"/></xsl:variable>
    <xsl:variable name="number"><xsl:apply-templates select="." mode="number"/></xsl:variable>
    <tr class="bec{translate(value[@name='barrel_endcap'], '-', 'm')}">
      <td class="position"><xsl:value-of select="$position"/></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td><xsl:apply-templates select="." mode="side"/></td>
      <td class="serial"><xsl:value-of select="value[@name='SN']"/></td>
      <td class="measure">
        <span><i><xsl:call-template name="colour"><xsl:with-param name="number" select="number($number)"/></xsl:call-template></i></span>
        <xsl:apply-templates select="." mode="text"/>
      </td>
    </tr>
  </xsl:template>

  <xsl:template name="more-style">
    <style>
:root { --c0: #3b1c66; --c1: #1f8a8c; --c2: #f6dc3c; --zero: #c9ced6; }
@media (prefers-color-scheme: dark) { :root { --zero: #3a4452; } }
.v {
  --p: calc(clamp(0, var(--t), 1) * 100%);
  background: color-mix(in oklab, color-mix(in oklab, var(--c0), var(--c1) min(100%, 2 * var(--p))), var(--c2) max(0%, 2 * var(--p) - 100%));
}
.scale-efficiency { --low: .9; }
.scale-efficiency .v { --t: calc((var(--v) - 90) / 10); }
.scale-noise .v { --t: calc(log(var(--v) * 10) / log(1e4)); }
.scale-raw .v { --t: calc(log(var(--v) * 10) / log(1e3)); }
.scale-links .v { --t: calc(log(var(--v) * 1000) / log(1e3)); }
.scale-errors .v { --t: calc(log(var(--v) * 1e5) / log(1e5)); }
.zero { background: var(--zero); }
.no-data { background: repeating-linear-gradient(45deg, var(--zero) 0 2px, transparent 2px 4px); }
.figures dd.text { overflow-wrap: anywhere; }
.unit { margin-left: .3rem; color: var(--faint); font-size: .9rem; font-weight: 400; }
.detector { display: flex; flex-wrap: wrap; gap: 1.25rem; align-items: flex-start; overflow-x: auto; }
.grid { flex: 9 1 27rem; width: auto; table-layout: fixed; border-collapse: separate; border-spacing: 2px; }
.grid.barrel { flex: 2 1 9rem; }
.grid th { position: static; padding: .15rem .3rem; box-shadow: none; font-weight: 400; text-align: center; vertical-align: middle; }
.grid thead tr:first-child th { color: var(--ink); font-weight: 600; }
.grid tbody th { width: 3.75rem; text-align: right; }
.grid td { padding: .45rem .1rem; border: 0; border-radius: .25rem; font-size: .85rem; text-align: center; overflow-wrap: normal; }
.grid tbody tr:hover { background: none; }
.grid td.v { color: color-mix(in oklab, #fff, #111 clamp(0%, (var(--t) - .55) * 100000%, 100%)); }
.scale { display: flex; align-items: center; gap: .5rem; margin-top: 1rem; color: var(--faint); font-size: .85rem; }
.scale i { width: 1.5rem; height: .8rem; border-radius: .2rem; }
.scale .low { margin-left: 1rem; }
.scale .steps { width: 14rem; background: linear-gradient(to right in oklab, var(--c0), var(--c1), var(--c2)); }
.legend.first { margin-top: 0; }
.layer { display: grid; grid-template-columns: 4.5rem 1fr 1fr; gap: 1rem; margin-bottom: .9rem; align-items: center; }
h3 { margin: 0; font-size: .9rem; font-weight: 600; white-space: nowrap; }
h2 a.state { margin-left: .75rem; font-size: .85rem; font-weight: 400; }
h3 a { display: block; font-weight: 400; font-size: .85rem; }
.map div { display: flex; gap: 1px; height: .6rem; margin-bottom: 1px; }
#becm2 .map div, #bec2 .map div { height: .75rem; }
.map i { flex: 1; }
.map i:hover { outline: 2px solid var(--ink); }
.on-demand:not(:target) { display: none; }
.measure span { display: inline-block; width: 2.5rem; margin-right: .6rem; }
.measure i { display: inline-block; width: 2.5rem; height: .8rem; border-radius: .2rem; vertical-align: -.1rem; }
.types span { display: inline-block; margin-right: .9rem; white-space: nowrap; }
.types span span { margin: 0; color: var(--faint); }
@media (max-width: 45rem) { .layer { grid-template-columns: 1fr; gap: .3rem; } }
@media print { .v, .zero, .no-data, .scale i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } h2 a.state { margin-left: .75rem; font-size: .85rem; font-weight: 400; }
h3 a { display: none; } }
    </style>
  </xsl:template>
</xsl:stylesheet>
