<?xml version="1.0" encoding="UTF-8"?>
<!-- The pages of BSErrorSummaryFile.xml and BSErrorModuleSummary.xml. In module files of the original
     (8528 blocks) the values eta and phi are exchanged, and the barrel's eta is counted from 0. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="Monitoring.xsl"/>

  <xsl:variable name="title">Byte-stream errors</xsl:variable>
  <xsl:variable name="scale"><xsl:choose><xsl:when test="/run/data/parts">links</xsl:when><xsl:otherwise>errors</xsl:otherwise></xsl:choose></xsl:variable>
  <xsl:variable name="events" select="/run/value[@name='Events']"/>
  <xsl:variable name="original" select="count(/run/data/module) = 8528"/>
  <xsl:variable name="note">
    <xsl:choose>
      <xsl:when test="/run/data/parts">Sides (links) with any error in the run; the colour is their share of the sides of the layer or ring.</xsl:when>
      <xsl:otherwise>Events with an error, summed over the types; the colour is their share of all events.</xsl:otherwise>
    </xsl:choose>
    <xsl:if test="$original"> This file has the original's form: the types of errors in the end caps may belong to the other end cap.</xsl:if>
  </xsl:variable>

  <xsl:variable name="empty">No side has an error.</xsl:variable>

  <xsl:key name="row-of-original" match="data/module" use="concat(value[@name='barrel_endcap'], '/', value[@name='layer'], '/', value[@name='side'], '/', value[@name='phi'])"/>

  <xsl:template name="zero-label">no errors</xsl:template>
  <xsl:template name="low-label"><xsl:choose><xsl:when test="$scale = 'links'">0.1 %</xsl:when><xsl:otherwise>10⁻⁵</xsl:otherwise></xsl:choose></xsl:template>
  <xsl:template name="high-label"><xsl:choose><xsl:when test="$scale = 'links'">all sides</xsl:when><xsl:otherwise>every event</xsl:otherwise></xsl:choose></xsl:template>

  <xsl:template name="part-figure">
    <xsl:param name="label"/>
    <xsl:param name="parts"/>
    <xsl:call-template name="figure">
      <xsl:with-param name="label" select="$label"/>
      <xsl:with-param name="number" select="sum($parts/value[@name='nErrLink'])"/>
      <xsl:with-param name="note">sides with errors</xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="parts" mode="cell">
    <xsl:variable name="sides"><xsl:apply-templates select="." mode="sides"/></xsl:variable>
    <td title="{value[4]} of {$sides} sides">
      <xsl:call-template name="colour"><xsl:with-param name="number" select="value[4] div $sides"/></xsl:call-template>
      <xsl:value-of select="value[4]"/>
    </td>
  </xsl:template>

  <xsl:template name="side-figures">
    <xsl:variable name="bad" select="data/module[value[@name='nErrors'] &gt; 0]"/>
    <dl class="figures">
      <xsl:call-template name="run-figures"/>
      <xsl:call-template name="figure"><xsl:with-param name="label">Sides with errors</xsl:with-param><xsl:with-param name="number" select="count($bad)"/><xsl:with-param name="note">of 8,176</xsl:with-param></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Errors</xsl:with-param><xsl:with-param name="number" select="sum($bad/value[@name='nErrors'])"/><xsl:with-param name="note">events, summed over types</xsl:with-param></xsl:call-template>
    </dl>
  </xsl:template>

  <!-- Rows of the original: its "phi" is eta; in the barrel 0-12, of which 6 does not exist -->
  <xsl:template name="rows">
    <xsl:param name="place"/>
    <xsl:param name="eta"/>
    <xsl:param name="last"/>
    <xsl:choose>
      <xsl:when test="not($original)"><xsl:call-template name="row"><xsl:with-param name="sides" select="key('row', concat($place, $eta))"/></xsl:call-template></xsl:when>
      <xsl:when test="$last = 6">
        <xsl:if test="$eta != 0"><xsl:call-template name="row"><xsl:with-param name="sides" select="key('row-of-original', concat($place, $eta + 6))"/></xsl:call-template></xsl:if>
      </xsl:when>
      <xsl:otherwise><xsl:call-template name="row"><xsl:with-param name="sides" select="key('row-of-original', concat($place, $eta))"/></xsl:call-template></xsl:otherwise>
    </xsl:choose>
    <xsl:if test="$eta &lt; $last">
      <xsl:call-template name="rows"><xsl:with-param name="place" select="$place"/><xsl:with-param name="eta" select="$eta + 1"/><xsl:with-param name="last" select="$last"/></xsl:call-template>
    </xsl:if>
  </xsl:template>

  <xsl:template name="row">
    <xsl:param name="sides"/>
    <xsl:if test="$sides">
      <div>
        <xsl:for-each select="$sides">
          <xsl:sort select="value[(@name='phi' and not($original)) or (@name='eta' and $original)]" data-type="number"/>
          <xsl:apply-templates select="." mode="cell"/>
        </xsl:for-each>
      </div>
    </xsl:if>
  </xsl:template>

  <xsl:template match="module" mode="phi"><xsl:value-of select="value[(@name='phi' and not($original)) or (@name='eta' and $original)]"/></xsl:template>
  <xsl:template match="module" mode="eta">
    <xsl:choose>
      <xsl:when test="not($original)"><xsl:value-of select="value[@name='eta']"/></xsl:when>
      <xsl:when test="value[@name='barrel_endcap'] = 0"><xsl:value-of select="value[@name='phi'] - 6"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="value[@name='phi']"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
  <xsl:template match="module" mode="number">
    <xsl:choose>
      <xsl:when test="$events &gt; 0"><xsl:value-of select="value[@name='nErrors'] div $events"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="value[@name='nErrors']"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
  <xsl:template match="module" mode="text"><xsl:value-of select="value[@name='nErrors']"/></xsl:template>

  <xsl:template name="list-link"/>
  <xsl:template name="all-lists"/>

  <xsl:template name="list">
    <xsl:variable name="bad" select="data/module[value[@name='nErrors'] &gt; 0 or value[position() &gt; 7 and . != 0]]"/>
    <h2>Sides with errors</h2>
    <xsl:choose>
      <xsl:when test="not($bad)"><p class="none">none</p></xsl:when>
      <xsl:otherwise>
        <xsl:call-template name="region-filters"><xsl:with-param name="sides" select="$bad"/></xsl:call-template>
        <table>
          <colgroup><col class="position"/><col class="where"/><col class="small"/><col class="serial"/><col class="fraction"/><col/></colgroup>
          <thead><tr><th>module</th><th class="where">where</th><th>side</th><th class="serial">serial number</th><th>errors</th><th>by type</th></tr></thead>
          <tbody>
            <xsl:apply-templates select="$bad"><xsl:sort select="value[@name='nErrors']" data-type="number" order="descending"/></xsl:apply-templates>
          </tbody>
        </table>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="module">
    <xsl:variable name="position"><xsl:apply-templates select="." mode="position"/></xsl:variable>
    <xsl:variable name="number"><xsl:apply-templates select="." mode="number"/></xsl:variable>
    <tr class="bec{translate(value[@name='barrel_endcap'], '-', 'm')}">
      <td class="position"><xsl:value-of select="$position"/></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td><xsl:value-of select="value[@name='side']"/></td>
      <td class="serial"><xsl:value-of select="value[@name='SN']"/></td>
      <td class="measure">
        <span><i><xsl:call-template name="colour"><xsl:with-param name="number" select="number($number)"/></xsl:call-template></i></span>
        <xsl:value-of select="format-number(value[@name='nErrors'], '#,##0')"/>
      </td>
      <td class="types">
        <xsl:for-each select="value[position() &gt; 7 and . != 0]"><span><span><xsl:value-of select="@name"/></span><xsl:text> </xsl:text><xsl:choose><xsl:when test=". = -1">not known</xsl:when><xsl:otherwise><xsl:value-of select="."/></xsl:otherwise></xsl:choose></span></xsl:for-each>
      </td>
    </tr>
  </xsl:template>
</xsl:stylesheet>
