<?xml version="1.0" encoding="UTF-8"?>
<!-- The pages of EfficiencySummaryFile.xml and EfficiencyModuleSummary.xml. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="Monitoring.xsl"/>

  <xsl:variable name="title">Efficiency</xsl:variable>
  <xsl:variable name="scale">efficiency</xsl:variable>
  <xsl:variable name="power" select="2"/>
  <xsl:variable name="unit">%</xsl:variable>
  <xsl:variable name="note">Hits found over hits expected of tracks. Sides without data count as 0 in averages over a layer or ring.</xsl:variable>

  <xsl:template name="low-label">90 % and less</xsl:template>
  <xsl:template name="high-label">100 %</xsl:template>

  <xsl:template name="layer-maps">
    <xsl:call-template name="layer-map"><xsl:with-param name="parts" select="data/parts[value/@name = 'meanEff']"/></xsl:call-template>
    <xsl:call-template name="layer-map">
      <xsl:with-param name="parts" select="data/parts[value/@name = 'meanEff_bcid1']"/>
      <xsl:with-param name="heading">First bunch of trains</xsl:with-param>
    </xsl:call-template>
  </xsl:template>

  <xsl:template name="side-figures">
    <xsl:variable name="values" select="modules/module/value[@name='Efficiency']"/>
    <xsl:variable name="good" select="$values[. &gt; 0]"/>
    <dl class="figures">
      <xsl:call-template name="run-figures"/>
      <xsl:call-template name="text-figure">
        <xsl:with-param name="label">Mean efficiency</xsl:with-param>
        <xsl:with-param name="text">
          <xsl:choose>
            <xsl:when test="$good"><xsl:value-of select="format-number(100 * sum($good) div count($good), '0.00')"/><span class="unit">%</span></xsl:when>
            <xsl:otherwise><span class="none">no data</span></xsl:otherwise>
          </xsl:choose>
        </xsl:with-param>
        <xsl:with-param name="note">of sides above 0</xsl:with-param>
      </xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Below 90 %</xsl:with-param><xsl:with-param name="number" select="count($values[. &gt; 0 and . &lt; 0.9])"/><xsl:with-param name="note">sides</xsl:with-param></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Efficiency 0</xsl:with-param><xsl:with-param name="number" select="count($values[. = 0])"/><xsl:with-param name="note">sides</xsl:with-param></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Without data</xsl:with-param><xsl:with-param name="number" select="count($values[. &lt; 0])"/><xsl:with-param name="note">sides</xsl:with-param></xsl:call-template>
    </dl>
  </xsl:template>

  <xsl:template match="module" mode="text">
    <xsl:choose>
      <xsl:when test="value[@name='Efficiency'] = -1">no data</xsl:when>
      <xsl:otherwise><xsl:value-of select="value[@name='Efficiency']"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="list">
    <h2>Lowest efficiencies <span class="state">the first <xsl:value-of select="$extreme"/> sides</span></h2>
    <table>
      <xsl:call-template name="side-columns"/>
      <tbody>
        <xsl:for-each select="modules/module[value[@name='Efficiency'] &gt;= 0]">
          <xsl:sort select="value[@name='Efficiency']" data-type="number"/>
          <xsl:if test="position() &lt;= $extreme"><xsl:apply-templates select="."/></xsl:if>
        </xsl:for-each>
      </tbody>
    </table>
  </xsl:template>
</xsl:stylesheet>
